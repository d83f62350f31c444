import type { INodeProperties } from 'n8n-workflow';

import { keepAliveOf } from '../../lib/servers/keep-alive';
import type { EmbedSettings } from '../../lib/tasks/embed';
import { choiceField, choices, longTextField, stringField, wholeField } from './field-kinds';
import { limitFields, readWait } from './limit-fields';
import type { NodeParameters } from './parameters';

/** Options of embeddings. */
export const embeddingOptions: INodeProperties[] = [
	wholeField('Batch Size', 'batchSize', 32, [1, 2048], {
		description: 'How many texts go into one request. If the server takes fewer, it gets fewer.',
	}),
	choiceField('Blank Texts', 'blankTexts', 'refuse', {
		options: choices({
			space: ['Embed as a Space', 'For stores that must not fail'],
			refuse: ['Refuse', 'The node fails and says which text is empty'],
		}),
		description: 'What happens to texts that are empty or hold nothing but spaces',
	}),
	wholeField('Dimensions', 'dimensions', 256, [1], {
		description:
			'How many numbers a vector should have. Longer ones are cut and brought to length 1. Only for models that were trained for it (Matryoshka).',
	}),
	longTextField('Document Prefix', 'documentPrefix', 2, {
		placeholder: 'e.g. search_document: ',
		description:
			'Put in front of every stored text. Without this option: the prefix that the model was trained with, found by its name. Empty: none. After a change, insert everything again.',
	}),
	wholeField('Expected Dimensions', 'expectedDimensions', 768, [1], {
		description:
			'How many numbers a vector must have to fit into the store. Others fail before anything is stored.',
	}),
	stringField('Keep Alive', 'keepAlive', {
		default: '5m',
		placeholder: 'e.g. 30m',
		description:
			'How long Ollama keeps the model in memory: a duration such as 30m, a number of seconds, or -1 for ever. Ollama only.',
	}),
	choiceField('Long Texts', 'longTexts', 'fail', {
		options: choices({
			fail: ['Fail', 'The error names the text and the limit'],
			truncate: ['Truncate', 'Only the beginning counts'],
		}),
		description: 'What happens to texts that are longer than the model reads',
	}),
	longTextField('Query Prefix', 'queryPrefix', 2, {
		placeholder: 'e.g. search_query: ',
		description:
			'Put in front of every search. Without this option: the prefix that the model was trained with, found by its name. Empty: none.',
	}),
	...limitFields,
];

/** Reads the options above and the field `model`. Expressions may return any type. */
export function readEmbeddingSettings(parameters: NodeParameters): Omit<EmbedSettings, 'priority'> {
	const prefix = (path: string) =>
		parameters.value(path) === undefined ? undefined : parameters.freeText(path);
	const prefixes = {
		query: prefix('options.queryPrefix'),
		document: prefix('options.documentPrefix'),
	};
	return {
		model: parameters.name('model'),
		prefixes: Object.fromEntries(
			Object.entries(prefixes).filter(([, words]) => words !== undefined),
		),
		dimensions: parameters.number('options.dimensions', undefined),
		expectedDimensions: parameters.number('options.expectedDimensions', undefined),
		longTexts: parameters.choice<EmbedSettings['longTexts']>('options.longTexts', 'fail'),
		blankTexts: parameters.choice<'refuse' | 'space'>('options.blankTexts', 'refuse'),
		batchSize: parameters.number('options.batchSize', 32),
		keepAlive: keepAliveOf(parameters.freeText('options.keepAlive')),
		...readWait(parameters),
	};
}
