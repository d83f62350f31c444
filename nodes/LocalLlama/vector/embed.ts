import type { INodeProperties } from 'n8n-workflow';

import { EmbeddingsClient } from '../../../lib/embeddings/client';
import { timeSlices } from '../../../lib/http/time-slices';
import { embeddingOptions } from '../../shared/embedding-fields';
import { choiceField, choices, jsonField, longTextField } from '../../shared/field-kinds';
import { wrongField } from '../../shared/field-values';
import type { NodeParameters } from '../../shared/parameters';
import { modelField } from '../../shared/model-field';
import { textsIn } from '../lists';
import type { OperationItem } from '../../shared/run/operations';
import type { LlamaCall, LocalLlamaOperation } from '../operation';
import { optionFields } from '../options';
import { embedItems } from './embed-items';
import { encoded, reportEmbedding, taskIn, type Vector } from './embed-task';

const fields: INodeProperties[] = [
	modelField(
		{ description: 'The model that turns texts into vectors' },
		{ search: 'searchEmbeddingModels', example: 'nomic-embed-text', mayBeEmpty: true },
	),
	choiceField('Texts From', 'textSource', 'items', {
		options: choices({
			items: ['Items', 'One text of each item. All items go to the server together, in batches.'],
			list: ['List', 'A list of texts in each item'],
		}),
	}),
	longTextField('Text', 'text', 2, {
		default: '={{ $json.text }}',
		required: true,
		displayOptions: { show: { textSource: ['items'] } },
	}),
	jsonField('Texts', 'texts', '={{ $json.texts }}', {
		required: true,
		displayOptions: { show: { textSource: ['list'] } },
		description: 'A list of texts, from an expression or as JSON',
	}),
	choiceField('Role', 'role', 'document', {
		options: choices({
			document: ['Document', 'Texts that are stored and found'],
			query: ['Query', 'Texts that are searched for'],
		}),
		description:
			'Some models want other words in front of a question than of a document. The prefixes see to that.',
	}),
	choiceField('Output', 'output', 'each', {
		options: choices({
			together: 'One Item for All Vectors',
			each: 'One Item for Each Vector',
		}),
	}),
	...optionFields([
		...embeddingOptions,
		choiceField('Encoding', 'encoding', 'base64', {
			options: choices({
				base64: ['Base64', '32-bit numbers, little-endian: a fifth of the size'],
				numbers: 'Numbers',
			}),
			description: 'How vectors stand in the items. Not added: as lists of numbers.',
		}),
	]),
];

export const vectorEmbed: LocalLlamaOperation = {
	option: {
		name: 'Embed',
		value: 'embed',
		action: 'Turn texts into vectors',
		description: 'Makes embeddings of texts, each checked before it is handed on',
	},
	fields,
	takesAllItems: isOfItems,
	run: async (call) => await (isOfItems(call.parameters) ? embedItems(call) : embedList(call)),
};

function isOfItems(parameters: NodeParameters): boolean {
	return parameters.choice<'items' | 'list'>('textSource') === 'items';
}

async function embedList(call: LlamaCall): Promise<OperationItem[]> {
	const task = await taskIn(call.parameters, call.server, call.signal);
	const texts = textsIn(call.parameters, 'texts');
	if (texts.length === 0) throw wrongField(call.parameters.field('texts').label, 'holds no texts');
	const client = new EmbeddingsClient(call.connection, task.settings);
	const result = await client.embed(texts, task.role, call.signal);
	reportEmbedding(call, result, texts.length);
	const vectors: Vector[] = [];
	const pause = timeSlices();
	for (const vector of result.vectors) {
		await pause();
		vectors.push(encoded(vector, task));
	}
	const facts = { dimensions: result.vectors[0]?.length ?? 0, model: task.settings.model };
	if (task.mergeResults) return [{ json: { vectors, ...facts } }];
	return vectors.map((vector, index) => ({
		json: { vector, ...facts, text: texts[index], index },
	}));
}
