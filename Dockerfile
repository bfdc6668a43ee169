# Accord on Astro Runtime (the default) or on Apache Airflow's own image:
#   docker build -t accord --build-arg BASE_IMAGE=apache/airflow:3.3.2-python3.12 .
ARG BASE_IMAGE=astrocrpublic.azurecr.io/runtime:3.3-8
FROM ${BASE_IMAGE}

# An Astro image has installed requirements.txt and copied the project by now (its ONBUILD steps); for any other base the
# next steps do both, with the locked versions of what requirements.txt names and of what is not there yet. What else the base
# image holds was chosen to go together (Celery, FAB, what reads its buckets …) and stays.
# AIRFLOW_HOME is /usr/local/airflow there and /opt/airflow here.
COPY --chmod=0644 requirements.txt requirements.lock ${AIRFLOW_HOME}/
RUN python -c "import great_expectations" 2>/dev/null || { \
    cd /tmp && names() { sed -E 's/[^A-Za-z0-9._-].*//; /^$/d; s/[._]/-/g' | tr A-Z a-z; } && \
    names < ${AIRFLOW_HOME}/requirements.txt > asked-for && \
    pip list --format=freeze | names | grep -vxFf asked-for | sed 's/.*/^&==/' > held && \
    grep -vf held ${AIRFLOW_HOME}/requirements.lock > constraints.txt && \
    pip install --no-cache-dir -r ${AIRFLOW_HOME}/requirements.txt -c constraints.txt && \
    rm asked-for held constraints.txt; }

COPY dags ${AIRFLOW_HOME}/dags
COPY plugins ${AIRFLOW_HOME}/plugins
COPY include ${AIRFLOW_HOME}/include

# Airflow itself puts dags/ and plugins/ on the path, not include/.
ENV PYTHONPATH=${AIRFLOW_HOME}/include \
    AIRFLOW__CORE__LOAD_EXAMPLES=false
