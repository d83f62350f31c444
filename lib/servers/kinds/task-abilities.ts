/** What servers of a kind can do besides chats: vectors, scores and media. */
import type { Connection } from '../../http/connection';
import type { JsonRecord } from '../../values';

/** A request below the root of a server. */
export interface RootRequest {
	path: string;
	json: JsonRecord;
}

/** A request for embeddings. */
export interface EmbeddingRequest {
	model: string;
	input: string[];
	/** The server takes one text in a request, and no list. */
	takesOneText?: true;
	/** Whether the server shall cut texts that are too long, keeping the beginning. */
	truncate: boolean;
	/** Requested length of the vectors. */
	dimensions?: number;
	/** How long Ollama keeps the model in memory. */
	keepAlive?: string | number;
}

export interface EmbeddingAbilities {
	/** Its own request, which can turn off silent cutting of texts. */
	request?(request: EmbeddingRequest): RootRequest;
	/** Fields that make it cut texts that are too long, in requests of OpenAI's form. */
	truncateFields?: Readonly<JsonRecord>;
	/** It refuses texts that are too long, unless told to cut them. Others may cut them silently. */
	refusesLongTexts?: true;
	/** It can send vectors in base64, a quarter of the size. Others send floats, or were not tested. */
	base64?: true;
}

export interface RerankAbilities {
	/** It has no route for reranking. */
	isMissing?: true;
	/** An alias of its API (end of the URL) that has no route for reranking. */
	aliasWithoutRoute?: string;
	/** As for embeddings. */
	truncateFields?: Readonly<JsonRecord>;
}

/** A task with pictures or sound. */
export type MediaTask = 'images' | 'transcription' | 'speech';

export interface MediaAbilities {
	/** Tasks that it is known for: named to users of servers that lack them. */
	knownFor?: readonly MediaTask[];
	/** Requests must name a model. */
	needsModel?: true;
	/** Whether it was started without what the task needs, and answers with nothing instead of an error. */
	lacks?(connection: Connection, task: MediaTask): Promise<boolean>;
	/** It answers requests for pictures with nothing after a long time, so that none is sent. */
	swallowsImageRequests?: true;
}
