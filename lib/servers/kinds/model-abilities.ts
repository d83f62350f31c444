/** What servers of a kind can do with models and slots. */
import type { Connection } from '../../http/connection';
import type { ServerModel } from '../models';
import type { ServerAnswers } from './answers';
import type { Change, ChangeOptions, ModelQuestion, PullOptions, Pulled } from './work';

/** What a model is for. */
export type ModelUse = 'embeddings' | 'reranking' | 'images' | 'transcription' | 'speech';

/** The list of models, and what can be done with one. */
export interface ModelAbilities {
	/** All listed models are in memory. */
	areAllLoaded?: true;
	/** It answers with its one model, whatever name is requested. */
	ignoresName?: true;
	/** Its list may be empty although it serves a model. */
	mayListNone?: true;
	/** It has no list. */
	isUnlisted?: true;
	/** The list says how each model was started, and so what it is for. */
	listStatesPurpose?: true;
	/** For a server without a list: its models, from its other answers. */
	fromAnswers?(answers: ServerAnswers): ServerModel[] | undefined;
	/** Its own words for what a model is for, in the query for its list. */
	uses?: { name: string; words: Partial<Record<ModelUse, string>> };
	/** Whether an ID and a name mean the same model, beyond equality. */
	isSameName?(id: string, name: string): boolean;
	/** The route below the root that lists what is in memory, and the state of a model by its answer. */
	running?: { path: string; stateOf(id: string, answer: unknown): string };
	/** Its own list of models, with more details than OpenAI's; undefined if it has none. */
	list?(connection: Connection, signal?: AbortSignal): Promise<ServerModel[] | undefined>;
	/** Adds details to the models of OpenAI's list. */
	withDetails?(
		connection: Connection,
		models: ServerModel[],
		signal?: AbortSignal,
	): Promise<ServerModel[]>;
	/** Adds what each model is for. */
	withPurposes?(
		connection: Connection,
		models: readonly ServerModel[],
		signal?: AbortSignal,
	): Promise<ServerModel[]>;
	load?(connection: Connection, options: ChangeOptions): Promise<Change>;
	unload?(connection: Connection, options: ChangeOptions): Promise<Change>;
	pull?(connection: Connection, options: PullOptions): Promise<Pulled>;
	remove?(connection: Connection, options: ModelQuestion): Promise<void>;
}

export interface SlotAbilities {
	/** The number of slots, which shows how many requests run at once; undefined if it does not tell. */
	count?(connection: Connection, timeoutMs: number): Promise<number | undefined>;
}
