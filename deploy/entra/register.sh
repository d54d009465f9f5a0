#!/usr/bin/env bash
# Registers the collector in Microsoft Entra, with the one permission that it needs, Score.Read.All, by the Azure CLI.
# Shows what it would do; does it with --apply. What is there already is left as it is, so it can be called again.
set -Eeuo pipefail
trap 'echo "error: that failed; what was done is left, and the same call goes on from there" >&2' ERR

usage() {
    cat <<'END'
usage: register.sh tenant  CREDENTIAL [--name NAME] [--apply]
       register.sh partner CREDENTIAL --customers FILE [--name NAME] [--apply]
       register.sh managed-identity --identity NAME [--apply]

  tenant             an application for the tenant that `az login` is signed in to, with an administrator's consent
  partner            an application for many tenants, in the partner's own; each customer's administrator consents by a
                     link that is printed. FILE: a customer's tenant id a line
  managed-identity   the permission for an identity that Azure gives a machine, by the identity's name

CREDENTIAL, one of
  --certificate FILE            PEM with its key; made where it isn't there, for two years
  --federated ISSUER SUBJECT    a platform's tokens, as of Kubernetes:
                                system:serviceaccount:exposure:exposure-collector

  --name NAME        the application's name; exposure-collector unless told otherwise
  --apply            do it; else what would be done is only said
END
}

readonly API_NAME=WindowsDefenderATP PERMISSION=Score.Read.All AUDIENCE=api://AzureADTokenExchange
GUID='^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'

fail() {
    echo "error: $1" >&2
    exit "${2:-1}"
}

wrong() {
    usage >&2
    fail "$1" 2
}

# One value that Azure answers, or nothing.
ask() {
    az "$@" --output tsv --only-show-errors
}

# Says a step, and takes it where --apply was given: `step WORDS COMMAND…`.
step() {
    local words=$1
    shift
    todo=$((todo + 1))
    if [ "$apply" = yes ]; then
        echo "doing: $words" >&2
        "$@" >/dev/null
    else
        echo "would: $words" >&2
    fi
}

there() {
    echo "there: $1" >&2
}

quoted() {
    # A quote in a filter is written twice.
    printf '%s' "${1//\'/\'\'}"
}

# The API's service principal and the permission's id are looked up: both are the tenant's own words.
find_permission() {
    local found
    found=$(ask ad sp list --filter "displayName eq '$API_NAME'" --query '[].id')
    [ -n "$found" ] || fail "this tenant has no $API_NAME: it comes with Microsoft Defender for Endpoint"
    [ "$(wc -l <<<"$found")" = 1 ] || fail "several APIs are called $API_NAME here: consent in the portal instead"
    api=$found
    api_app=$(ask ad sp show --id "$api" --query appId)
    role=$(ask ad sp show --id "$api" --query \
        "appRoles[?value=='$PERMISSION' && contains(allowedMemberTypes, 'Application')].id | [0]")
    [ -n "$role" ] || fail "$API_NAME has no permission $PERMISSION in this tenant"
}

find_application() {
    local found
    found=$(ask ad app list --filter "displayName eq '$(quoted "$name")'" --query '[].appId')
    [ -z "$found" ] || [ "$(wc -l <<<"$found")" = 1 ] ||
        fail "several applications are called $name: give this one another --name"
    app=$found
}

create_application() {
    app=$(ask ad app create --display-name "$name" --sign-in-audience "$1" --query appId)
}

make_application() {
    local audience=AzureADMyOrg now=''
    [ "$mode" = tenant ] || audience=AzureADMultipleOrgs
    find_application
    if [ -z "$app" ]; then
        step "create the application $name ($audience)" create_application "$audience"
    else
        there "the application $name ($app)"
        now=$(ask ad app show --id "$app" --query signInAudience)
        [ "$mode" = tenant ] || [ "$now" = "$audience" ] ||
            step "open it to other tenants ($audience)" ask ad app update --id "$app" --sign-in-audience "$audience"
    fi
    now=
    [ -z "$app" ] || now=$(ask ad app show --id "$app" --query \
        "requiredResourceAccess[?resourceAppId=='$api_app'].resourceAccess[] | [?id=='$role'].id | [0]")
    if [ -z "$now" ]; then
        step "have it ask for $PERMISSION of $API_NAME" \
            ask ad app permission add --id "${app:-}" --api "$api_app" --api-permissions "$role=Role"
    else
        there "it asks for $PERMISSION"
    fi
}

create_principal() {
    principal=$(ask ad sp create --id "$app" --query id)
}

make_principal() {
    principal=
    [ -z "$app" ] || principal=$(ask ad sp list --filter "appId eq '$app'" --query '[0].id')
    if [ -z "$principal" ]; then
        step "create its service principal in this tenant" create_principal
    else
        there "its service principal ($principal)"
    fi
}

# Consent to this one permission, and to no other that the application may ask for.
grant() {
    local graph given=
    graph=$(ask cloud show --query endpoints.microsoftGraphResourceId)
    graph=${graph%/}/v1.0/servicePrincipals
    [ -z "$principal" ] || given=$(ask rest --method get --url "$graph/$principal/appRoleAssignments" \
        --query "value[?appRoleId=='$role' && resourceId=='$api'].id | [0]")
    if [ -z "$given" ]; then
        step "grant $PERMISSION to $1, as an administrator" give "$graph"
    else
        there "$PERMISSION is granted to $1"
    fi
}

give() {
    ask rest --method post --url "$1/$principal/appRoleAssignments" --headers Content-Type=application/json --body \
        "{\"principalId\": \"$principal\", \"resourceId\": \"$api\", \"appRoleId\": \"$role\"}" --query id
}

# Whole or not at all: it is made in a folder of its own beside, which nobody else may enter.
make_certificate() {
    local made
    made=$(mktemp -d "$certificate.XXXXXX")
    if ! openssl req -x509 -newkey rsa:3072 -nodes -days 730 -subj "/CN=exposure-collector" \
        -keyout "$made/key" -out "$made/crt" 2>"$made/said"; then
        cat "$made/said" >&2
        rm -r "$made"
        return 1
    fi
    (umask 077 && cat "$made/crt" "$made/key" >"$made/pem")
    mv "$made/pem" "$certificate"
    rm -r "$made"
}

upload_certificate() {
    local public
    public=$(mktemp)
    # Its public part alone leaves this machine. It counts to its own end: without a number that would be a year.
    openssl x509 -in "$certificate" -out "$public"
    ask ad app credential reset --id "$app" --cert "@$public" --append --years 20 --display-name "$(fingerprint)" \
        --query appId
    rm "$public"
}

fingerprint() {
    openssl x509 -in "$certificate" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | cut -c 1-32
}

make_credential() {
    local now=
    if [ -n "$certificate" ]; then
        if [ -e "$certificate" ]; then
            there "the certificate $certificate"
            [ -z "$app" ] || now=$(ask ad app credential list --id "$app" --cert --query \
                "[?displayName=='$(fingerprint)'].keyId | [0]")
        else
            step "make the certificate $certificate, with its key, for two years" make_certificate
        fi
        if [ -z "$now" ]; then
            step "upload the certificate's public part" upload_certificate
        else
            there "the certificate is the application's"
        fi
        return
    fi
    [ -z "$app" ] || now=$(ask ad app federated-credential list --id "$app" --query \
        "[?issuer=='$issuer' && subject=='$subject'].name | [0]")
    if [ -z "$now" ]; then
        step "trust tokens of $issuer for $subject" ask ad app federated-credential create --id "${app:-}" --parameters \
            "{\"name\": \"exposure-collector-$(cksum <<<"$issuer $subject" | cut -d ' ' -f 1)\", \"issuer\": \"$issuer\", \"subject\": \"$subject\", \"audiences\": [\"$AUDIENCE\"]}" \
            --query name
    else
        there "tokens of $issuer are trusted for $subject"
    fi
}

find_identity() {
    principal=$(ask ad sp list --filter \
        "displayName eq '$(quoted "$identity")' and servicePrincipalType eq 'ManagedIdentity'" --query '[].id')
    [ -n "$principal" ] || fail "no managed identity is called $identity"
    [ "$(wc -l <<<"$principal")" = 1 ] || fail "several managed identities are called $identity"
    there "the managed identity $identity ($principal)"
}

# The settings, on stdout: `settings NAME TENANT_ID`.
settings() {
    local credential
    case $mode in
        managed-identity) credential='{ kind = "managed_identity" }' ;;
        *)
            credential="{ kind = \"certificate\", certificate_file = \"$certificate\" }"
            [ -n "$certificate" ] || credential='{ kind = "workload_identity", token_file = "/run/secrets/azure/identity-token" }'
            ;;
    esac
    printf '\n[tenants.%s]\n' "$1"
    [ "$mode" = managed-identity ] || printf 'tenant_id = "%s"\nclient_id = "%s"\n' "$2" "$app"
    # The one other cloud by whose login it is known; DoD's has the same hosts.
    case $login in *.microsoftonline.us*) printf 'cloud = "gcc-high"\n' ;; esac
    printf 'credential = %s\n' "$credential"
}

mode=${1:-}
[ $# -eq 0 ] || shift
case $mode in
    tenant | partner | managed-identity) ;;
    -h | --help)
        usage
        exit
        ;;
    *) wrong "tenant, partner or managed-identity: which of them?" ;;
esac
name=exposure-collector certificate='' issuer='' subject='' customers='' identity='' apply=no todo=0 app='' principal=''
while [ $# -gt 0 ]; do
    case $1 in
        --apply) apply=yes ;;
        --name | --certificate | --customers | --identity)
            [ -n "${2:-}" ] || wrong "$1 wants a value"
            printf -v "${1#--}" %s "$2"
            shift
            ;;
        --federated)
            [ -n "${3:-}" ] || wrong "--federated wants an issuer and a subject"
            issuer=$2 subject=$3
            shift 2
            ;;
        *) wrong "$1: no such option" ;;
    esac
    shift
done
if [ "$mode" = managed-identity ]; then
    [ -n "$identity" ] || wrong "--identity is missing"
elif [ -n "$certificate" ] && [ -n "$issuer" ] || [ -z "$certificate$issuer" ]; then
    wrong "one of --certificate and --federated"
fi
case $issuer$subject$certificate in *[\"\'\\]*) wrong "--federated, --certificate: no quotes, no backslashes" ;; esac
if [ "$mode" = partner ]; then
    grep -qs '[^ ]' "$customers" || wrong "--customers: a file with a tenant id a line"
    while read -r customer; do
        [[ $customer =~ $GUID ]] || wrong "$customers: not a tenant id: $customer"
    done < <(grep -v '^ *$' "$customers")
fi

here=$(ask account show --query tenantId) || fail "sign in first: az login"
echo "tenant: $here" >&2
find_permission
if [ "$mode" = managed-identity ]; then
    find_identity
    grant "$identity"
else
    make_application
    make_principal
    make_credential
    # A partner's own tenant is polled only where it is among the customers.
    [ "$mode" = partner ] || grant "$name"
fi
if [ "$apply" = no ] && [ "$todo" -gt 0 ]; then
    echo "nothing was done; call it again with --apply" >&2
    exit
fi
login=$(ask cloud show --query endpoints.activeDirectory)
if [ "$mode" = partner ]; then
    number=0
    while read -r customer; do
        number=$((number + 1))
        echo "to be opened by an administrator of $customer: ${login%/}/$customer/adminconsent?client_id=$app" >&2
        settings "customer-$number" "$customer"
    done < <(grep -v '^ *$' "$customers")
else
    settings contoso "$here"
fi
