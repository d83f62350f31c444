/** Prefixes that embedding models require before queries and documents. */
/** Prefixes for queries and documents that models were trained with. */

export interface Prefixes {
	query: string;
	document: string;
}

const NONE: Prefixes = { query: '', document: '' };

const TASK =
	'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:';

const REPRESENT = 'Represent this sentence for searching relevant passages: ';

/** By the model's name, from the model cards on huggingface.co. The first match counts. */
const BY_NAME: ReadonlyArray<readonly [RegExp, Prefixes]> = [
	[/nomic-embed-text/, { query: 'search_query: ', document: 'search_document: ' }],
	[/qwen3-embedding/, { query: TASK, document: '' }],
	[/(?:^|[^a-z])e5-.*instruct/, { query: `${TASK} `, document: '' }],
	[/(?:^|[^a-z])e5-/, { query: 'query: ', document: 'passage: ' }],
	[/bge-(?:small|base|large)-en-v1\.5/, { query: REPRESENT, document: '' }],
	[
		/bge-(?:small|base|large)-zh-v1\.5/,
		{ query: '为这个句子生成表示以用于检索相关文章：', document: '' },
	],
	[/mxbai-embed-large|snowflake-arctic-embed(?!2|.*v2)/, { query: REPRESENT, document: '' }],
	[
		/embeddinggemma|embedding-gemma/,
		{ query: 'task: search result | query: ', document: 'title: none | text: ' },
	],
];

/** Characters. Model names from a server may be of any length. */
const MAX_NAME_LENGTH = 500;

/** Prefixes of a model; empty if the model is unknown. */
export function getPrefixes(model: string): Prefixes {
	const name = model.slice(0, MAX_NAME_LENGTH).toLowerCase().replaceAll('_', '-');
	return BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? NONE;
}
