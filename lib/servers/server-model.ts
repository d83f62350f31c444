/** A model, with the facts that its server reports. */
export interface ServerModel {
	id: string;
	aliases: string[];
	/** Tokens of context that one request can use. */
	context?: number;
	/** Tokens of context that the model was trained for. */
	trainedContext?: number;
	/** Number of parameters, or the server's text for it ("8.0B"). */
	parameters?: number | string;
	/** Bytes. */
	size?: number;
	quantization?: string;
	vision?: boolean;
	audio?: boolean;
	video?: boolean;
	tools?: boolean;
	/** Whether it returns vectors or scores, not text. */
	embeddings?: boolean;
	/** Whether it returns scores. */
	isReranker?: boolean;
	/** Whether it answers typed questions with probabilities. */
	decisions?: boolean;
	/** False if it only decides: it has no chat. */
	writesText?: boolean;
	/** `loaded`, `loading`, `unloaded`, `sleeping`, `failed`, … */
	state?: string;
	/** Tokens in its chat template, if they were requested for this model alone. */
	templateTokens?: readonly string[];
	/** The host on which it runs, if not on this server: for example Ollama's cloud. */
	remoteHost?: string;
	/** How much of it is in the memory of the GPU, from 0 to 1 (Ollama). */
	gpuShare?: number;
	/** Exit code of a router's failed process. */
	exitCode?: number;
	/** The command line of a router's process. */
	args?: string[];
}
