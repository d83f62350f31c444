import type { LocalLlamaResource } from '../operation';
import { embed } from './embed';
import { rerank } from './rerank';

export const vector: LocalLlamaResource = {
	option: { name: 'Vector', value: 'vector', description: 'Embeddings, and documents ordered by a question' },
	operations: [embed, rerank],
	preset: 'embed',
};
