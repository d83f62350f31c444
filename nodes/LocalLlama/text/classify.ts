import type { FieldTable, Values } from '../../../lib/fields/field';
import { createEmptyFieldError } from '../../../lib/fields/field-errors';
import { keepAny } from '../../../lib/fields/check-value';
import { rethrowWith } from '../../../lib/errors/server-error';
import type { Classification } from '../../../lib/tasks/classify-request';
import { classify } from '../../../lib/tasks/classify';
import type { Label } from '../../../lib/tasks/labels';
import { withSentFiles } from '../../../lib/files/file-errors';
import { isRecord } from '../../../lib/values/records';
import { round } from '../../../lib/values/numbers';
import { findOrigin, getOrigin, isAdded, joinOrigins } from '../../shared/fields/read-values';
import { modelField } from '../../shared/fields/model-selection';
import { itemOptionsField, toolNotice } from '../operation-fields';
import { readRows } from '../list-fields';
import { withOutput } from '../output';
import type { LocalLlamaOperation } from '../run-local-llama';
import { reportResult, resolveTextSettings } from './generate-text';
import { binaryFieldsField, readPromptInput } from './item-files';
import { shortTextOptions, instructionsField, textField } from './text-fields';

const fields = {
	model: modelField('The model that classifies the text', {
		search: 'searchClassifiers',
		example: 'qwen3-8b',
	}),
	text: textField,
	toolNotice: toolNotice('The agent passes the text only. Add the labels to choose from.'),
	labels: {
		kind: 'rows',
		label: 'Labels',
		entry: 'Label',
		isSortable: true,
		fields: {
			name: { kind: 'name', label: 'Name', placeholder: 'e.g. invoice' },
			description: {
				kind: 'text',
				label: 'Description',
				placeholder: 'e.g. The customer asks for a refund',
				description: 'When a text belongs to this label',
			},
		},
		description: 'The labels to choose from, up to 62',
	},
	options: itemOptionsField({
		...shortTextOptions,
		allowNoLabel: {
			kind: 'switch',
			label: 'Allow No Label',
			default: true,
			description:
				'Whether a text may have no label. The output is then null, or an empty array with Multiple Labels. Off if not set.',
		},
		binaryFields: binaryFieldsField('They are part of the text.'),
		instructions: instructionsField,
		labelList: {
			kind: 'json',
			label: 'Label List',
			default: '={{ $json.labels }}',
			parse: keepAny,
			description:
				'Replaces Labels with a list from an expression: an array of names or of objects with name and description, or comma-separated names',
		},
		multiLabel: {
			kind: 'switch',
			label: 'Multiple Labels',
			default: true,
			description:
				'Whether a text may have more than one label. The output is then an array. Off if not set.',
		},
	}),
} as const satisfies FieldTable;

export const textClassify: LocalLlamaOperation = withOutput({
	name: 'Classify',
	value: 'classify',
	action: 'Classify a text',
	description: 'Choose the label that matches a text',
	mainFields: ['text'],
	// After Extract, whose result is in `output`.
	outputField: 'classification',
	fields,
	execute: async (call) => {
		const { values, server } = call;
		const labels = readLabels(values);
		const { multiLabel: isMultiLabel = false, allowNoLabel: allowNone = false } = values.options;
		const { input, files } = await readPromptInput(call);
		const settings = await resolveTextSettings(call, { temperature: 0 }, 'classification');
		const instructions = {
			text: values.options.instructions ?? '',
			origin: getOrigin(values.options, 'instructions'),
		};
		const labelOrigin = joinOrigins(
			findOrigin(values, 'labels'),
			findOrigin(values.options, 'labelList'),
		);
		const request = { input, labels, labelOrigin, isMultiLabel, allowNone, instructions };
		const result = await classify(server, settings, request).catch(
			rethrowWith((error) => withSentFiles(error, files)),
		);
		reportResult(call, result);
		if (result.unmatchedText !== undefined)
			call.hint(
				'The model did not choose a label, so the output has none. Turn off Simplify to see its response in the field metadata.response. Improve the label descriptions, turn on Allow No Label, or choose a larger model.',
			);
		const names = result.labels.map((at) => labels[at]!.name);
		const output = isMultiLabel ? names : (names[0] ?? null);
		return [{ output, metadata: toMetadata(result, labels) }];
	},
});

/** Everything but the labels. */
function toMetadata(result: Classification, labels: readonly Label[]): object {
	const { scores, noneScore, unmatchedText, usage, model, server } = result;
	const toScoreEntry = ({ name }: Label, at: number) => [name, roundProbability(scores?.[at])];
	return {
		confidence: roundProbability(result.confidence),
		scores: scores && Object.fromEntries(labels.map(toScoreEntry)),
		response: unmatchedText,
		none: roundProbability(noneScore),
		usage,
		model,
		server,
	};
}

function roundProbability(probability: number | undefined) {
	return probability === undefined ? undefined : round(probability, 4);
}

/** Reads labels from the form, or from a list of names or objects. */
function readLabels({ labels: form, options }: Values<typeof fields>): Label[] {
	const { rows, field } = readRows({
		form: fields.labels,
		getRows: () => form.map(({ name, description }) => ({ name, description })),
		list: fields.options.fields.labelList,
		isListed: isAdded(options, 'labelList'),
		listed: options.labelList,
	});
	const labels = rows.map((row) =>
		isRecord(row)
			? { name: String(row.name ?? '').trim(), description: String(row.description ?? '') }
			: { name: String(row ?? '').trim() },
	);
	if (labels.length === 0)
		throw createEmptyFieldError(
			field,
			'Add a label for each possible result, such as "invoice" and "offer".',
		);
	return labels;
}
