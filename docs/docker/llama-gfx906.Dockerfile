# llama-server for AMD MI50, MI60 and Radeon VII (gfx906). Not run by the project's tests: they have no Docker and no GPU.
# ROCm 6.3 is the last whose rocBLAS has kernels for gfx906; see docs/servers.md, "On an AMD MI50".
ARG ROCM=rocm/dev-ubuntu-24.04:6.3-complete

FROM ${ROCM} AS build
ARG LLAMA_CPP=master
RUN apt-get update && apt-get install -y --no-install-recommends build-essential cmake git
WORKDIR /src
RUN git clone --depth 1 --branch ${LLAMA_CPP} https://github.com/ggml-org/llama.cpp .
RUN HIPCXX="$(hipconfig -l)/clang" HIP_PATH="$(hipconfig -R)" cmake -S . -B build \
		-DGGML_HIP=ON -DGPU_TARGETS=gfx906 -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
	&& cmake --build build --target llama-server -j "$(nproc)"

# The libraries of ROCm are needed to run, too.
FROM ${ROCM}
RUN apt-get update && apt-get install -y --no-install-recommends curl libgomp1 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/bin/llama-server /usr/local/bin/llama-server
HEALTHCHECK CMD ["curl", "-f", "http://localhost:9931/health"]
ENTRYPOINT ["llama-server"]
