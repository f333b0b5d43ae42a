# The embedded study in a container: `docker build -t medo1 . && docker run --rm -v "$PWD/study:/study" medo1`.
# The page is then in study/data/08_reporting.
FROM python:3.11-slim-bookworm

RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
WORKDIR /medo1
COPY . .
RUN python -m pip install --no-cache-dir --constraint constraints.txt \
        --extra-index-url https://download.pytorch.org/whl/cpu torch \
    && python -m pip install --no-cache-dir --constraint constraints.txt \
        --extra-index-url https://download.pytorch.org/whl/cpu .

WORKDIR /study
CMD ["medo1", "demo", "/study"]
