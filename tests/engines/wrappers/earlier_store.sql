BEGIN TRANSACTION;
CREATE TABLE answers (
    request_id TEXT PRIMARY KEY,
    engine_id TEXT NOT NULL REFERENCES engines,
    prompt_id TEXT NOT NULL REFERENCES prompts,
    sampling TEXT NOT NULL,
    sample INTEGER NOT NULL,
    seed INTEGER,
    adapter TEXT,
    at REAL NOT NULL,
    text TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    mean_logprob REAL,
    self_certainty REAL,
    confidence REAL,
    lowest_confidence REAL,
    latency_s REAL,
    model TEXT NOT NULL,
    error TEXT,
    reasoning TEXT NOT NULL,
    reasoning_tokens INTEGER,
    cached_prompt_tokens INTEGER,
    shared INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    unread INTEGER NOT NULL
);
INSERT INTO "answers" VALUES('b165171f5b4a2fef33d72c7ee800a65a4b84d03245d34c6fb41f6f4c71de688b','058e52274498143fa0c43044951946d6e5939522414fe2497cc8a4a59cd90e8f','1be32c13ddebd23c86ff034cae2fa6b4a226d36a4ab97d621c6939163e8727d1','{"max_new_tokens":1024,"stop":[],"temperature":0.0,"top_p":1.0}',0,7,NULL,1.79590083895589113231e+09,'Considered 38edf7cf504b.
Final answer: D','stop',5,4,NULL,NULL,NULL,NULL,2.99999999992905941326e-03,'teacher-2026-01-01',NULL,'',NULL,0,1,1,0);
INSERT INTO "answers" VALUES('6afe24b70409dbed7ca0594f0bc463fdb64105cf08f90475dda4d754a979dcea','058e52274498143fa0c43044951946d6e5939522414fe2497cc8a4a59cd90e8f','a5e93d1d7cd186470ab04a4d563b03e1a88ae933384b26d0cced0b452f60e7a8','{"max_new_tokens":50,"stop":[],"temperature":0.0,"top_p":1.0}',0,7,NULL,1.79590083895589113231e+09,'Considered a6ccfee4c94d.
Final answer: C','stop',5,4,NULL,NULL,NULL,NULL,1.9999999999527062755e-03,'teacher-2026-01-01',NULL,'',NULL,0,1,1,0);
INSERT INTO "answers" VALUES('581d4a9d2f0af430eed234c92c7222c9a9978c456f7a9755a355f72094e44a3e','058e52274498143fa0c43044951946d6e5939522414fe2497cc8a4a59cd90e8f','98a820ac8128a0b70487220e0809d0dbe3d607a6f7168f16c573cc7d0599bfde','{"max_new_tokens":1024,"stop":[],"temperature":0.0,"top_p":1.0}',0,7,NULL,1.79590083901387143139e+09,'Considered e012985253e3.
Final answer: C','stop',9,4,NULL,NULL,NULL,NULL,9.99999999976353137753e-04,'teacher-2026-01-01',NULL,'',NULL,0,1,1,0);
INSERT INTO "answers" VALUES('f16f92f86b0c783243a9102eb486427099744ac7a1061528b2bb7e6c7848c4a4','482247d8bb660b65fb02430886482dc222dca5d304d6a2c83d24c3eeb5f9f56b','1be32c13ddebd23c86ff034cae2fa6b4a226d36a4ab97d621c6939163e8727d1','{"max_new_tokens":1024,"stop":[],"temperature":0.0,"top_p":1.0}',0,7,NULL,1.79590083907634568216e+09,'Considered 38edf7cf504b.
Final answer: D','stop',5,4,NULL,NULL,NULL,NULL,3.99999999990541255101e-03,'teacher-2026-01-01',NULL,'',NULL,0,1,1,0);
INSERT INTO "answers" VALUES('27a5c5c48c1143bd42a514cb98406917eac9880e7300738e4fc54d7082864319','482247d8bb660b65fb02430886482dc222dca5d304d6a2c83d24c3eeb5f9f56b','a5e93d1d7cd186470ab04a4d563b03e1a88ae933384b26d0cced0b452f60e7a8','{"max_new_tokens":50,"stop":[],"temperature":0.0,"top_p":1.0}',0,7,NULL,1.79590083907634568216e+09,'Considered a6ccfee4c94d.
Final answer: C','stop',5,4,NULL,NULL,NULL,NULL,3.99999999990541255101e-03,'teacher-2026-01-01',NULL,'',NULL,0,1,1,0);
INSERT INTO "answers" VALUES('a4aa79d0824e0a7889462ea695a063c9e7331f153ae655db3f1aeb77560c5a19','24c9a16fe5dd54327c14fa059dbc63dbf7d283f07bba0554a02b3f9379b4558b','1be32c13ddebd23c86ff034cae2fa6b4a226d36a4ab97d621c6939163e8727d1','{"max_new_tokens":1024,"stop":[],"temperature":0.0,"top_p":1.0}',0,7,NULL,1.79590083911409950255e+09,'Considered 38edf7cf504b.
Final answer: D','stop',5,4,NULL,NULL,NULL,NULL,9.99999999976353137753e-04,'teacher-2026-01-01',NULL,'',NULL,0,1,1,0);
INSERT INTO "answers" VALUES('8d98178592118c52e5203cf69837d18e02b1866bece21180ca17ff595b436705','24c9a16fe5dd54327c14fa059dbc63dbf7d283f07bba0554a02b3f9379b4558b','a5e93d1d7cd186470ab04a4d563b03e1a88ae933384b26d0cced0b452f60e7a8','{"max_new_tokens":50,"stop":[],"temperature":0.0,"top_p":1.0}',0,7,NULL,1.79590083911409950255e+09,'Considered a6ccfee4c94d.
Final answer: C','stop',5,4,NULL,NULL,NULL,NULL,9.99999999976353137753e-04,'teacher-2026-01-01',NULL,'',NULL,0,1,1,0);
INSERT INTO "answers" VALUES('7e97a03a30bed5f40d5ebc29586dfc8250c5d47e50cd9c7d2d6056a4352a8827','dbfe2f80ab6cf3a66e47ab2f287a6f7e0e27c23139345273f4bf6b3ca05ad62e','1be32c13ddebd23c86ff034cae2fa6b4a226d36a4ab97d621c6939163e8727d1','{"max_new_tokens":1024,"stop":[],"temperature":0.0,"top_p":1.0}',0,7,NULL,1.7959008392644116879e+09,'Considered 38edf7cf504b.
Final answer: D','stop',5,4,-0.5,NULL,NULL,NULL,9.99999999976353137753e-04,'teacher-2026-01-01',NULL,'',NULL,0,1,1,0);
INSERT INTO "answers" VALUES('04b042a691c533a1fbd14f377d31b753ac05331a65f5ec776e0af9253eaf6ace','dbfe2f80ab6cf3a66e47ab2f287a6f7e0e27c23139345273f4bf6b3ca05ad62e','a5e93d1d7cd186470ab04a4d563b03e1a88ae933384b26d0cced0b452f60e7a8','{"max_new_tokens":50,"stop":[],"temperature":0.0,"top_p":1.0}',0,7,NULL,1.7959008392644116879e+09,'Considered a6ccfee4c94d.
Final answer: C','stop',5,4,-0.5,NULL,NULL,NULL,0.0,'teacher-2026-01-01',NULL,'',NULL,0,1,1,0);
INSERT INTO "answers" VALUES('5848b46f62b7a05426ce56ba102d099ebc3d4932ef1cc05a2ccca7d003a0940d','0c475207a92c2ad5a2532633d71dc5d4171e58c56e9f2cdb68d022deeb201d8f','1be32c13ddebd23c86ff034cae2fa6b4a226d36a4ab97d621c6939163e8727d1','{"max_new_tokens":1024,"stop":[],"temperature":0.0,"top_p":1.0}',0,7,NULL,1.79590083926769328121e+09,'from an unnamed directory','stop',5,4,NULL,NULL,NULL,NULL,NULL,'',NULL,'',NULL,NULL,1,1,0);
CREATE TABLE engines (engine_id TEXT PRIMARY KEY, identity TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "engines" VALUES('058e52274498143fa0c43044951946d6e5939522414fe2497cc8a4a59cd90e8f','{"endpoint":"server","kind":"openai","model":"teacher"}');
INSERT INTO "engines" VALUES('0c475207a92c2ad5a2532633d71dc5d4171e58c56e9f2cdb68d022deeb201d8f','{"dtype":"float32","kind":"transformers","model":null,"revision":null}');
INSERT INTO "engines" VALUES('24c9a16fe5dd54327c14fa059dbc63dbf7d283f07bba0554a02b3f9379b4558b','{"endpoint":"server","extra_body":{"guided_choice":["A","B"],"user_token":"tok-marked-0123456789"},"kind":"openai","model":"teacher"}');
INSERT INTO "engines" VALUES('482247d8bb660b65fb02430886482dc222dca5d304d6a2c83d24c3eeb5f9f56b','{"endpoint":"server","extra_body":{"top_k":5},"kind":"openai","model":"teacher"}');
INSERT INTO "engines" VALUES('dbfe2f80ab6cf3a66e47ab2f287a6f7e0e27c23139345273f4bf6b3ca05ad62e','{"endpoint":"server","kind":"openai","logprobs":true,"model":"teacher"}');
CREATE TABLE failures (
    request_id TEXT NOT NULL,
    engine_id TEXT NOT NULL,
    prompt_id TEXT NOT NULL,
    at REAL NOT NULL,
    error TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    unread INTEGER NOT NULL
);
CREATE TABLE prompts (prompt_id TEXT PRIMARY KEY, messages TEXT NOT NULL);
INSERT INTO "prompts" VALUES('1be32c13ddebd23c86ff034cae2fa6b4a226d36a4ab97d621c6939163e8727d1','[["user", "first question"]]');
INSERT INTO "prompts" VALUES('a5e93d1d7cd186470ab04a4d563b03e1a88ae933384b26d0cced0b452f60e7a8','[["user", "second question"]]');
INSERT INTO "prompts" VALUES('98a820ac8128a0b70487220e0809d0dbe3d607a6f7168f16c573cc7d0599bfde','[["user", "first question"], ["assistant", "It may be"]]');
CREATE INDEX failures_by_request ON failures (request_id);
COMMIT;
PRAGMA user_version = 2;
