BEGIN TRANSACTION;
CREATE TABLE "Product2" (id VARCHAR(255) NOT NULL, "Key__c" VARCHAR(255), "Name" VARCHAR(255), "IsActive" VARCHAR(255), PRIMARY KEY (id));
INSERT INTO "Product2" VALUES ('Product2-1', 'P1', 'Bolt', 'true');
INSERT INTO "Product2" VALUES ('Product2-2', 'P2', 'Nut', 'false');
COMMIT;
