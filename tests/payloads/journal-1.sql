PRAGMA application_id = 1163415619;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE cursor (
            consumer TEXT PRIMARY KEY, next INTEGER NOT NULL, moves INTEGER NOT NULL, crc INTEGER NOT NULL,
            target TEXT NOT NULL, error TEXT NOT NULL) STRICT;
INSERT INTO "cursor" VALUES('main',2,1,3888874236,'v1 http://i/','Unavailable: no');
CREATE TABLE dead_letter (
            id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, row INTEGER NOT NULL, series INTEGER NOT NULL,
            time INTEGER NOT NULL, shape INTEGER NOT NULL, data BLOB NOT NULL, at INTEGER NOT NULL,
            words TEXT NOT NULL) STRICT;
INSERT INTO "dead_letter" VALUES(1,'main',2,2,1699920000000,2,X'0000000000A04040D2EFB31A',1699920000000,'no');
CREATE TABLE point (
            id INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL, time INTEGER NOT NULL,
            shape INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
INSERT INTO "point" VALUES(2,2,1699920000000,2,X'0000000000A04040D2EFB31A');
INSERT INTO "point" VALUES(3,3,1699920000000,3,X'0873617920226869220E65CE59C9');
INSERT INTO "point" VALUES(4,4,1699920000000,4,X'00D704FEFFFFFFFFFFFFFFFF0100F92062A6');
INSERT INTO "point" VALUES(5,1,1699920000000,1,X'000000000000C0BFF88AA8A9F88EAA972F9CAE3886');
CREATE TABLE series (
            id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, tenant TEXT NOT NULL, tags TEXT NOT NULL,
            crc INTEGER NOT NULL) STRICT;
INSERT INTO "series" VALUES(1,'exposure_score','contoso','[]',1046662592);
INSERT INTO "series" VALUES(2,'exposure_score_by_group','contoso','[["rbacGroupName","grüße"],["rbacGroupId","7"]]',1792075868);
INSERT INTO "series" VALUES(3,'exposure_annotation','contoso','[["kind","note"]]',3283303013);
INSERT INTO "series" VALUES(4,'collector_poll','contoso','[]',1307599725);
CREATE TABLE shape (id INTEGER PRIMARY KEY, fields TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
INSERT INTO "shape" VALUES(1,'[["score","float"],["api_time","int"]]',2451015832);
INSERT INTO "shape" VALUES(2,'[["score","float"]]',2380858046);
INSERT INTO "shape" VALUES(3,'[["title","str"],["n","int"]]',368794461);
INSERT INTO "shape" VALUES(4,'[["ok","int"],["late","int"],["big","int"],["error","str"]]',1707604716);
CREATE UNIQUE INDEX point_by_day ON point (time / 86400000, series, time);
CREATE INDEX dead_letter_by_sink ON dead_letter (sink);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('point',5);
INSERT INTO "sqlite_sequence" VALUES('dead_letter',1);
COMMIT;
