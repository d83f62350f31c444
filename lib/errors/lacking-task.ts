/** What helps if a server does not perform a task. */

/** Tasks that some servers or models lack. */
export type ServerTask =
	| 'completion'
	| 'decisions'
	| 'embeddings'
	| 'rerank'
	| 'images'
	| 'imageEdits'
	| 'transcription'
	| 'translation'
	| 'speech';

/** What a server type needs for a task. */
export interface TaskAdvice {
	/** Another model or start of this server, or another server: this type cannot do it at all. */
	needs: 'model' | 'otherServer';
	/** A complete sentence, with the words of this server type only. */
	suggestion: string;
}

/** The advice of a server type for each task. */
export type TaskAdvices = Readonly<Record<ServerTask, TaskAdvice>>;

/** Tasks as text after "cannot". */
const TASK_NAMES: Readonly<Record<ServerTask, string>> = {
	completion: 'complete text',
	decisions: 'answer typed questions',
	embeddings: 'create embeddings',
	rerank: 'rerank',
	images: 'generate images',
	imageEdits: 'edit images',
	transcription: 'transcribe audio',
	translation: 'translate audio',
	speech: 'speak',
};

/** What a title is made of. */
interface LackingServer {
	/** Its name in sentences; undefined if its type is not known. */
	label: string | undefined;
	/** Empty: none was sent. */
	model: string;
	advices: TaskAdvices;
	/** HTTP status of its response. */
	status?: number;
}

/** Tasks that llama-server is started for: otherwise it sends 501. */
const STARTED_TASKS: Readonly<Partial<Record<ServerTask, string>>> = {
	embeddings: 'embeddings',
	rerank: 'reranking',
};

/** The title of the error of a server that lacks a task. */
export function describeLackingTask(
	task: ServerTask,
	{ label, model, advices, status }: LackingServer,
): string {
	if (status === 501 && STARTED_TASKS[task] !== undefined)
		return `The server was not started for ${STARTED_TASKS[task]}`;
	// A server of unknown type without a model name may have no models, as whisper.cpp.
	const hasModel = label !== undefined || model !== '';
	const isModelPossible = advices[task].needs === 'model' && hasModel;
	return `${label ?? 'The server'} cannot ${TASK_NAMES[task]}${isModelPossible ? ' with this model' : ''}`;
}

/** Advice for a task that a server type performs with another model. */
export function needsModel(suggestion: string): TaskAdvice {
	return { needs: 'model', suggestion };
}

/** Advice for a task that a server type does not perform. */
export function needsOtherServer(suggestion: string): TaskAdvice {
	return { needs: 'otherServer', suggestion };
}

/** Servers that perform a task that the one of the credential does not. */
export const OTHER_SERVERS = {
	decisions:
		'Use llama-server with a decision model, Ollama (since 0.35) or another server with /v1/systemone, each with its own credential. Classify also works with chat models.',
	rerank: 'Use llama-server with --rerank and a reranker model, vLLM or GPUStack.',
	images:
		'Use GPUStack, or another server with /v1/images/generations, each with its own credential.',
	imageEdits:
		'Use GPUStack with a model that edits images, or another server with /v1/images/edits, each with its own credential.',
	transcription:
		'Use GPUStack, vLLM, speaches or whisper.cpp (--inference-path /v1/audio/transcriptions), each with its own credential. Servers that only offer /asr are not supported.',
	speech:
		'Use GPUStack, speaches or another server with /v1/audio/speech, each with its own credential.',
	translation: 'Turn off Translate to English, and translate with a chat model.',
	completion: 'Use Chat instead of Complete.',
} satisfies Partial<Record<ServerTask, string>>;
