import { getPrefixes } from '../../../lib/tasks/embed';

test.each([
	['nomic-embed-text:latest', 'search_query: ', 'search_document: '],
	['intfloat/multilingual-e5-large', 'query: ', 'passage: '],
	['intfloat/e5-mistral-7b-instruct', expect.stringMatching(/^Instruct: .*\nQuery: $/s), ''],
	['Qwen3-Embedding-0.6B-Q8_0', expect.stringMatching(/\nQuery:$/), ''],
	['bge-large-en-v1.5', 'Represent this sentence for searching relevant passages: ', ''],
	['embeddinggemma:300m', 'task: search result | query: ', 'title: none | text: '],
	['bge-m3', '', ''],
	['snowflake-arctic-embed2', '', ''],
	['all-minilm', '', ''],
])('prefixes of %s', (model, query, document) => {
	expect(getPrefixes(model)).toEqual({ query, document });
});
