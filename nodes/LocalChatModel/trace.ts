import type { INodeProperties } from 'n8n-workflow';

import type { TraceSettings } from '../../lib/tracing/attributes';
import { isRecord } from '../../lib/values';
import { booleanField, collectionField, stringField } from '../shared/field-kinds';
import { asSwitch, asText, isBlank } from '../shared/field-values';
import type { NodeParameters } from '../shared/parameters';

const fields: INodeProperties[] = [
	stringField('Prompt Name', 'promptName', {
		description: 'The name under which Langfuse keeps the prompt',
	}),
	{
		displayName: 'Prompt Version',
		name: 'promptVersion',
		type: 'string',
		default: '',
		placeholder: 'e.g. 3',
	},
	booleanField('Record Texts', 'recordTexts', false, {
		description:
			'Whether the trace holds the conversation and the answer. Whoever reads the traces can read them.',
	}),
	stringField('Session ID', 'sessionId', {
		placeholder: 'e.g. {{ $json.sessionId }}',
		description: 'The same for all traces of one conversation',
	}),
	stringField('Tags', 'tags', {
		placeholder: 'e.g. support, production',
		description: 'Separated by commas',
	}),
	{ displayName: 'User ID', name: 'userId', type: 'string', default: '', description: 'Who asks' },
];

/** Options for n8n's traces. */
export const traceField: INodeProperties = collectionField('Trace', 'trace', 'Field', {
	options: fields,
	description: 'What a trace holds besides the request and its answer, where n8n exports traces',
});

/** @throws {ServerError} of kind `invalidInput` naming the field */
export function traceIn(parameters: NodeParameters): TraceSettings | undefined {
	const given = parameters.value('options.trace');
	if (!isRecord(given)) return undefined;
	const filled = fields.filter(({ name }) => !isBlank(given[name]));
	const read = filled.map(({ name, displayName }) => {
		const field = { label: `Trace: ${displayName}` };
		if (name === 'recordTexts') return [name, asSwitch(field, given[name])] as const;
		const texts = [given[name]]
			.flat()
			.flatMap((text) => (name === 'tags' ? asText(field, text).split(',') : asText(field, text)));
		const trimmed = texts.map((text) => text.trim()).filter((text) => text !== '');
		return [name, name === 'tags' ? trimmed : trimmed[0]] as const;
	});
	return read.length === 0 ? undefined : Object.fromEntries(read);
}
