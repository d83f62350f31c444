/**
 * How much a request sends, how much of its response is read, and how slowly it may arrive: a row for each task, which the compiler demands. What is
 * larger is an error: before anything is sent, or as soon as so much has arrived.
 */
import { MAX_JSON_MEMORY } from './json-memory';

/** What a request is for. */
export type TaskName =
	| 'chat'
	| 'classify'
	| 'decide'
	| 'complete'
	| 'embed'
	| 'rerank'
	| 'transcribe'
	| 'speak'
	| 'generateImages'
	| 'editImages'
	| 'probe'
	| 'command'
	| 'pull'
	| 'difyRequest'
	| 'difyUpload'
	| 'difyRun'
	| 'difySpeech'
	| 'difyFile';

/** A task that sends many texts, in several requests. */
export type BatchedTask = 'embed' | 'rerank';

/** The response to a request. */
export interface ResponseLimits {
	/** Bytes, without compression. */
	bytes: number;
	/** Characters of one event of a stream, or of the JSON document in its place. */
	eventLength: number;
	/** Bytes of memory of the values that are parsed, by `JsonMemory`: of a document, or of all large events. */
	parsedBytes: number;
	/**
	 * Bytes per second of sound or a file, on average over its idle timeout. 0 for others: the idle timeout ends a document,
	 * and a stream of tokens, which a slow server may send one by one.
	 */
	minBytesPerSecond: number;
}

/** The limits of every task. One text that it sends has at most `MAX_TEXT_BYTES`. */
export interface TaskLimits {
	received: ResponseLimits;
}

/** The limit of a task that sends several texts. Files that are sent as files have none: they are streamed. */
export interface SentLimit {
	/** Bytes of UTF-8 of all texts of a request together. Of a batch, a single text may be longer. */
	sentBytes: number;
}

/** The limit of a task that keeps parts of its responses. */
export interface KeptLimit {
	/** Bytes of memory of all pages or events together, or of a file that is read to its end. */
	keptBytes: number;
}

/** The limit of a task whose response is a list, of which it does not know how many entries it has. */
export interface ListLimit {
	/** Entries of the list. */
	entries: number;
}

/** A row for each task, with the further limits of some. */
export type TaskLimitTable = Readonly<
	Record<TaskName, TaskLimits> &
		Record<BatchedTask | 'chat' | 'difyRun', SentLimit> &
		Record<'speak' | 'difyRequest' | 'difyRun', KeptLimit> &
		Record<'generateImages' | 'editImages' | 'probe', ListLimit>
>;

const KB = 1024;
const MB = 1024 * 1024;

/** One text: a field, a message, a file that becomes text. About 500,000 tokens: no model reads more, and n8n waits while it is prepared. */
export const MAX_TEXT_BYTES: number = 2 * 1024 * 1024;

/** A text and the conversation before it. */
const MAX_CONVERSATION_BYTES: number = 4 * 1024 * 1024;

/** All inputs of a Dify run: Dify repeats them in one event, which may have as many characters. */
const MAX_INPUTS_BYTES: number = 16 * 1024 * 1024;

/** Bytes of memory of the values of JSON in a field, by `JsonMemory`: 500,000 numbers, or 30,000 fields. More block n8n for over 0.1 s. */
export const MAX_FIELD_VALUES: number = 4 * 1024 * 1024;

/** The smallest limits of servers and proxies are 1 MB for a request. */
const MAX_BATCH_BYTES: number = 512 * KB;

/** A JSON document. */
const DOCUMENT: ResponseLimits = {
	// More than any record or page of a list.
	bytes: 32 * MB,
	eventLength: 2 * MB,
	parsedBytes: MAX_JSON_MEMORY,
	minBytesPerSecond: 0,
};

/** Bytes per second of stored bytes: only the network limits them, and the slowest mobile one has ten times as many. */
const MIN_FILE_RATE = 512;

/**
 * Bytes per second of sound that is made while it is sent. Spoken text has at least 1 KB per second (Opus, 8 kbit/s; MP3
 * and WAV have 4 to 48), and a CPU may take sixteen times as long to make it as to speak it.
 */
const MIN_SPEECH_RATE = 64;

/** What a model writes. */
const GENERATION: ResponseLimits = {
	...DOCUMENT,
	// About a million tokens, each in an event with all its fields.
	bytes: 256 * MB,
};

/** Images, whether they are generated or edited: ten of 9 MB, or a hundred of a megabyte, in base64. */
const IMAGES: TaskLimits & ListLimit = {
	received: { ...DOCUMENT, bytes: 128 * MB, minBytesPerSecond: MIN_FILE_RATE },
	entries: 100,
};

export const TASK_LIMITS: TaskLimitTable = {
	chat: { sentBytes: MAX_CONVERSATION_BYTES, received: GENERATION },
	// 2,048 tokens with the probabilities of 20 others are about 4 MB.
	classify: { received: { ...DOCUMENT, bytes: 8 * MB, eventLength: 8 * MB } },
	// 64 questions with 255 options each have 16,320 probabilities: less than a megabyte.
	decide: { received: { ...DOCUMENT, bytes: 8 * MB } },
	complete: { received: GENERATION },
	// 32 vectors with 16,384 numbers of 24 characters each: as many as the default batch has. Parsing them takes 50 ms in one
	// piece, and 50 MB. The response to a larger batch may be larger: then its halves are sent. A number has at least two
	// characters, most have five times as many.
	embed: {
		sentBytes: MAX_BATCH_BYTES,
		received: { ...DOCUMENT, bytes: 16 * MB, parsedBytes: 24 * MB },
	},
	// There are as many scores as documents, which some servers return with them.
	rerank: { sentBytes: MAX_BATCH_BYTES, received: DOCUMENT },
	// A day of speech with the times of each word has about 30 MB: 200,000 words, each with four fields.
	transcribe: { received: { ...DOCUMENT, bytes: 64 * MB, parsedBytes: 80 * MB } },
	speak: {
		// Some hours: the text of one request is a few pages.
		received: { ...DOCUMENT, bytes: 512 * MB, minBytesPerSecond: MIN_SPEECH_RATE },
		// 20 minutes in the quality of a CD, of a WAV file whose length the server did not know.
		keptBytes: 128 * MB,
	},
	generateImages: IMAGES,
	editImages: IMAGES,
	probe: {
		// Far more than a list of models. Several probes run at the same time.
		received: { ...DOCUMENT, bytes: 8 * MB, parsedBytes: 16 * MB },
		// Gateways list thousands of models. More block n8n, and are too many to select from.
		entries: 5_000,
	},
	command: { received: DOCUMENT },
	// A line of progress for each megabyte of a model, or more.
	pull: { received: GENERATION },
	difyRequest: {
		received: DOCUMENT,
		// All pages: 50,000 records, each with twenty fields. n8n needs twice as much for their items.
		keptBytes: 128 * MB,
	},
	difyUpload: { received: DOCUMENT },
	difyRun: {
		sentBytes: MAX_INPUTS_BYTES,
		received: {
			...DOCUMENT,
			bytes: 128 * MB,
			// One event contains all outputs of a workflow.
			eventLength: 16 * MB,
			// What was read and is not kept stays in memory for a while, and so many values that they matter are in no real run.
			parsedBytes: 128 * MB,
		},
		// Nodes, files, thoughts and forms.
		keptBytes: 32 * MB,
	},
	difySpeech: {
		received: { ...DOCUMENT, bytes: 512 * MB, minBytesPerSecond: MIN_SPEECH_RATE },
	},
	// A file, which is stored as it arrives.
	difyFile: { received: { ...DOCUMENT, bytes: 1024 * MB, minBytesPerSecond: MIN_FILE_RATE } },
};
