/** The chapter of Dify: what its routes, apps and knowledge bases are about. */
import type { Facts } from '../facts';
import type { Row } from './row';
import { defineRow } from './row';

/** What an object of a knowledge base is called, and where else it may be. */
interface ObjectWords {
	noun: string;
	suggestion: string;
}

const MISSING_OBJECTS: Readonly<Record<Facts['missingObject']['kind'], ObjectWords>> = {
	knowledgeBase: {
		noun: 'knowledge base',
		suggestion: 'It was deleted, or belongs to another workspace than the key. Select it again.',
	},
	document: {
		noun: 'document',
		suggestion:
			'The knowledge base exists, but does not have this document: it was deleted, or belongs to another knowledge base.',
	},
	chunk: {
		noun: 'chunk',
		suggestion:
			'The document exists, but does not have this chunk: it was deleted, or belongs to another document.',
	},
};

export const DIFY_ROWS: readonly Row[] = [
	defineRow({
		types: ['notFound', 'datasetNotFound'],
		needs: ['missingObject'],
		tell: ({ missingObject: { kind, id } }) => {
			const { noun, suggestion } = MISSING_OBJECTS[kind];
			const title = `Dify cannot find the ${noun} ${id}`;
			return { title, detail: title, suggestion };
		},
	}),
];
