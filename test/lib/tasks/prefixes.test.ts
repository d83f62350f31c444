/** The prefixes of each embedding model, by the names that servers have for it. */
import { getPrefixes } from '../../../lib/tasks/prefixes';
import { expectApproved } from '../../support/approved/approved-table';
import path from 'node:path';

const NAMES = [
	...[
		'nomic-embed-text:latest',
		'nomic_embed_text_v1.5.Q8_0.gguf',
		'Qwen3-Embedding-0.6B',
		'multilingual-e5-large-instruct',
		'intfloat/e5-base-v2',
	],
	...[
		'e5-small',
		'gte5-large',
		'bge-small-en-v1.5',
		'BGE-Large-zh-v1.5',
		'bge-m3',
		'bge-base-en',
		'mxbai-embed-large',
		'snowflake-arctic-embed:335m',
	],
	...[
		'snowflake-arctic-embed2',
		'snowflake-arctic-embed-l-v2.0',
		'embeddinggemma:300m',
		'embedding-gemma',
		'all-minilm',
		'',
		`${'x'.repeat(490)}e5-base-v2`,
	],
];

test('each name', () => {
	const rows = NAMES.map((name) => ({ input: name.slice(-40), outcome: getPrefixes(name) }));
	expectApproved(
		path.join(__dirname, 'prefixes.approved.txt'),
		rows,
		'A model has its own prefixes',
	);
});
