import { gpustack } from './gpustack';
import type { ServerTypeName, ServerType } from './server-type';
import { litellm } from './litellm';
import { llamaServer } from './llama-server';
import { lmStudio } from './lm-studio';
import { ollama } from './ollama';
import { other } from './other';
import { vllm } from './vllm';

/** The table of server types. */
export const SERVER_TYPES: Readonly<Record<ServerTypeName, ServerType>> = {
	gpustack,
	litellm,
	llamaServer,
	ollama,
	vllm,
	lmStudio,
	other,
};
