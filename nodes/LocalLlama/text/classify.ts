import { rethrowWith } from '../../../lib/errors/server-error';
import type { Classification } from '../../../lib/tasks/classify';
import { classify } from '../../../lib/tasks/classify';
import type { Label } from '../../../lib/tasks/labels';
import { withFileNames } from '../../../lib/files/file-errors';
import { isRecord } from '../../../lib/values/records';
import { round } from '../../../lib/values/numbers';
import {
	booleanField,
	fixedCollectionField,
	jsonField,
	stringField,
} from '../../shared/field-builders';
import type { NodeParameters } from '../../shared/parameters';
import { createEmptyFieldError } from '../../shared/parameters';
import { modelField } from '../../shared/model-selection';
import { toolNotice } from '../agent-field';
import { createOptionsField } from '../operation-fields';
import { readRows } from '../list-fields';
import { withOutput } from '../output';
import type { LocalLlamaOperation } from '../run-local-llama';
import { reportResult, resolveTextSettings } from './generate-text';
import { binaryFieldsField, readPromptInput } from './item-files';
import { shortTextOptions, instructionsField, textFields } from './text-fields';

const labelsField = fixedCollectionField(
	'Labels',
	'labels',
	'Label',
	[
		stringField('Name', 'name', { placeholder: 'e.g. invoice' }),
		stringField('Description', 'description', {
			placeholder: 'e.g. The customer asks for a refund',
			description: 'When a text belongs to this label',
		}),
	],
	{
		typeOptions: { multipleValues: true, sortable: true },
		description: 'The labels to choose from, up to 62',
	},
);

export const textClassify: LocalLlamaOperation = withOutput({
	name: 'Classify',
	value: 'classify',
	action: 'Classify a text',
	description: 'Choose the label that matches a text',
	mainFields: ['text'],
	// After Extract, whose result is in `output`.
	outputField: 'classification',
	fields: [
		modelField('The model that classifies the text'),
		...textFields,
		toolNotice('The agent passes the text only. Add the labels to choose from.'),
		labelsField,
		createOptionsField([
			...shortTextOptions,
			booleanField(
				'Allow No Label',
				'allowNoLabel',
				true,
				'Whether a text may have no label. The output is then null, or an empty array with Multiple Labels. Off if not set.',
			),
			binaryFieldsField('They are part of the text.'),
			instructionsField,
			jsonField(
				'Label List',
				'labelList',
				'={{ $json.labels }}',
				'Replaces Labels with a list from an expression: an array of names or of objects with name and description, or comma-separated names',
			),
			booleanField(
				'Multiple Labels',
				'multiLabel',
				true,
				'Whether a text may have more than one label. The output is then an array. Off if not set.',
			),
		]),
	],
	execute: async (call) => {
		const { parameters, server } = call;
		const labels = readLabels(parameters);
		const isMultiLabel = parameters.boolean('options.multiLabel', false);
		const { input, files } = await readPromptInput(call);
		const settings = await resolveTextSettings(call, { temperature: 0 });
		const request = {
			input,
			labels,
			isMultiLabel,
			allowNone: parameters.boolean('options.allowNoLabel', false),
			instructions: parameters.rawString('options.instructions'),
		};
		const result = await classify(server, settings, request).catch(
			rethrowWith((error) => withFileNames(error, files)),
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
function readLabels(parameters: NodeParameters): Label[] {
	const { rows, label } = readRows(parameters, { form: 'labels', listOption: 'labelList' });
	const labels = rows.map((row) =>
		isRecord(row)
			? { name: String(row.name ?? '').trim(), description: String(row.description ?? '') }
			: { name: String(row ?? '').trim() },
	);
	if (labels.length === 0)
		throw createEmptyFieldError(
			label,
			'Add a label for each possible result, such as "invoice" and "offer".',
		);
	return labels;
}
