import type { Json } from '../types';

/** A knowledge base of a simulator, which tests may read and change. */
export interface SimDataset {
	id: string;
	name: string;
	description: string;
	provider: string;
	permission: string;
	members: string[];
	technique: string | null;
	embedding: { model: string; provider: string } | null;
	/** Retrieval settings; undefined for Dify's default. */
	retrieval?: Json;
	form: string | null;
	createdAt: number;
	/** If API access is off, every route of it answers 403. */
	apiEnabled: boolean;
	/** Belongs to the owner of the key; others are listed only with `include_all`. */
	isOwn: boolean;
	rule?: Json;
	fields: SimField[];
	builtIn: boolean;
	documents: Map<string, SimDocument>;
	inUse: boolean;
	/** Only for a base that was created with one. */
	pipeline?: SimPipeline;
}

/** A knowledge pipeline (docs/protocols/dify.md 2.13). */
export interface SimPipeline {
	/** As listed by the route. */
	datasources: Json[];
	/** Error text of a failing run. */
	fails?: string;
}

export interface SimField {
	id: string;
	name: string;
	type: string;
}

export interface SimDocument {
	id: string;
	name: string;
	batch: string;
	text: string;
	size: number;
	extension: string;
	mimeType: string;
	fileId: string;
	position: number;
	status: string;
	error: string | null;
	/** Error text with which indexing ends, instead of `completed`. */
	fails?: string;
	enabled: boolean;
	archived: boolean;
	form: string;
	language: string;
	rule: Json;
	ruleId: string;
	createdFrom: string;
	createdAt: number;
	values: Map<string, { id: string; value: unknown }>;
	segments: SimSegment[];
	/** How many further status actions are refused, as Dify does for about two seconds. */
	busy: number;
	tokens: number | null;
	words: number | null;
}

export interface SimSegment {
	id: string;
	position: number;
	content: string;
	answer: string | null;
	keywords: string[] | null;
	enabled: boolean;
	status: string;
	error: string | null;
	createdAt: number;
	children: SimChild[];
}

export interface SimChild {
	id: string;
	content: string;
	position: number;
	type: string;
	createdAt: number;
}

/** Further data of a simulator's knowledge API, and its behaviour. */
export interface KnowledgeState {
	datasets: Map<string, SimDataset>;
	/** Status requests until a document is indexed, one step each. Default 0: at once. */
	steps: number;
	/** The embedding model does not answer. */
	embeddingDown: boolean;
	/** Bytes; 15 MB as in Dify. */
	fileLimit: number;
}

export function knowledgeState(): KnowledgeState {
	return {
		datasets: new Map(),
		steps: 0,
		embeddingDown: false,
		fileLimit: 15 * 1024 * 1024,
	};
}
