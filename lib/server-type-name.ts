/** Names of the server types, which are known to everything that is told about a server. */

/** Each is a row of the tables in `lib/servers/types/index.ts` and `lib/errors/chapters/server-texts.ts`. */
export type ServerTypeName =
	| 'gpustack'
	| 'litellm'
	| 'llamaServer'
	| 'ollama'
	| 'vllm'
	| 'lmStudio'
	| 'other';
