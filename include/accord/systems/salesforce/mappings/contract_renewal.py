"""contract_renewal: the opportunity a Contract names as its renewal."""

from accord.systems.salesforce.mapping import Writing

CONTRACT_RENEWAL = Writing(object="contract_renewal", sobject="Contract", fields={"renewal": "Renewal_Opportunity__c"})
