import type { Json } from '../types';

/** A knowledge base of a simulator. A test may look at it and change it. */
export interface SimDataset {
	id: string;
	name: string;
	description: string;
	provider: string;
	permission: string;
	members: string[];
	technique: string | null;
	embedding: { model: string; provider: string } | null;
	/** As it was set; undefined for Dify's own. */
	retrieval?: Json;
	form: string | null;
	createdAt: number;
	/** Where its API access is off, every route of it answers 403. */
	apiEnabled: boolean;
	/** Of the owner whose key it is; others are listed only with `include_all`. */
	isOwn: boolean;
	rule?: Json;
	fields: SimField[];
	builtIn: boolean;
	tags: Set<string>;
	documents: Map<string, SimDocument>;
	inUse: boolean;
	/** Of a base that was made with one. */
	pipeline?: SimPipeline;
}

/** A knowledge pipeline (docs/protocols/dify.md 2.13). */
export interface SimPipeline {
	/** As the route lists them. */
	datasources: Json[];
	/** What a datasource gives, or the text of its failure. */
	gives?: unknown;
	datasourceFails?: string;
	/** Why a run fails, whatever the reason is. */
	fails?: string;
	/** What the documents of a run end with, in place of `completed`. */
	documentFails?: string;
	/** Outputs of a draft's run, or the error of its node. */
	preview?: Json;
	previewFails?: string;
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
	/** What the worker ends with; an error text in place of `completed`. */
	fails?: string;
	/** Where a worker never gets further. */
	stuckAt?: string;
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
	/** So many further actions on its status are refused, as Dify does for about two seconds. */
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

export interface SimTag {
	id: string;
	name: string;
}

/** What a simulator knows beside its bases, and how it behaves. */
export interface KnowledgeState {
	datasets: Map<string, SimDataset>;
	tags: Map<string, SimTag>;
	/** How many looks at the status it takes until a document is indexed, a step for each. Default 0: at once. */
	steps: number;
	/** A status action is followed by so many refusals. */
	busyAfterAction: number;
	/** Metadata writes that answer success without any effect, as 1.12 does with what fails. */
	loseMetadata: boolean;
	/** Chunks whose vector cannot be made. */
	failChunk?: (content: string) => boolean;
	/** The embedding model does not answer. */
	embeddingDown: boolean;
	/** Bytes; 15 MB as in Dify. */
	fileLimit: number;
	/** The workspace has a default embedding model. */
	defaultEmbedding: boolean;
}

export function knowledgeState(): KnowledgeState {
	return {
		datasets: new Map(),
		tags: new Map(),
		steps: 0,
		busyAfterAction: 0,
		loseMetadata: false,
		embeddingDown: false,
		fileLimit: 15 * 1024 * 1024,
		defaultEmbedding: true,
	};
}
