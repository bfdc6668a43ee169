"""The org's protocols: functions from requests to answers, without sockets."""
