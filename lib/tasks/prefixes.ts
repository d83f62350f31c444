/** Prefixes that embedding models require before queries and documents, because they were trained with them. */

/** Empty for a role without a prefix. */
export interface Prefixes {
	/** Before texts to search for. */
	query: string;
	/** Before texts to store and find. */
	document: string;
}

/** Characters. Model names from a server may be of any length. */
const MAX_NAME_LENGTH = 500;

/** Prefixes of a model; empty if the model is unknown. */
export function getPrefixes(model: string): Prefixes {
	const name = model.slice(0, MAX_NAME_LENGTH).toLowerCase().replaceAll('_', '-');
	return BY_NAME.find(({ pattern }) => pattern.test(name))?.prefixes ?? NONE;
}

const NONE: Prefixes = { query: '', document: '' };

const TASK =
	'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:';

const REPRESENT = 'Represent this sentence for searching relevant passages: ';

/** By the model's name, from the model cards on huggingface.co. The first match counts. */
const BY_NAME: ReadonlyArray<{ pattern: RegExp; prefixes: Prefixes }> = [
	{
		pattern: /nomic-embed-text/,
		prefixes: { query: 'search_query: ', document: 'search_document: ' },
	},
	{
		pattern: /qwen3-embedding/,
		prefixes: { query: TASK, document: '' },
	},
	{
		pattern: /(?:^|[^a-z])e5-.*instruct/,
		prefixes: { query: `${TASK} `, document: '' },
	},
	{
		pattern: /(?:^|[^a-z])e5-/,
		prefixes: { query: 'query: ', document: 'passage: ' },
	},
	{
		pattern: /bge-(?:small|base|large)-en-v1\.5/,
		prefixes: { query: REPRESENT, document: '' },
	},
	{
		pattern: /bge-(?:small|base|large)-zh-v1\.5/,
		prefixes: { query: '为这个句子生成表示以用于检索相关文章：', document: '' },
	},
	{
		pattern: /mxbai-embed-large|snowflake-arctic-embed(?!2|.*v2)/,
		prefixes: { query: REPRESENT, document: '' },
	},
	{
		pattern: /embeddinggemma|embedding-gemma/,
		prefixes: { query: 'task: search result | query: ', document: 'title: none | text: ' },
	},
];
