import type { ChatSettings, ThinkingHistory } from '../../lib/chat/types';
import { asRecord, omitUndefined } from '../../lib/values';
import {
	readGeneration,
	readResponseFormat,
	readThinking,
} from '../shared/chat/generation-settings';
import { splitNames } from '../shared/binary';
import { readGenerationTimeouts } from '../shared/timeout-fields';
import { asBoolean, asText, type Field, isUnset, type NodeParameters } from '../shared/parameters';
import type { INodeProperties } from 'n8n-workflow';
import type { TraceSettings } from '../../lib/tracing/span-attributes';
import { booleanField, collectionField, stringField } from '../shared/field-builders';

/**
 * Reads the node's parameters, which expressions may return with any type.
 *
 * @throws {ServerError} of type `invalidInput` naming the field
 */
export function readSettings(parameters: NodeParameters): ChatSettings {
	return {
		model: parameters.string('model'),
		parameters: {
			...readGeneration(parameters),
			...omitUndefined({
				thinking: readThinking(parameters),
				responseFormat: readResponseFormat(parameters),
			}),
		},
		thinkingHistory: parameters.choice<ThinkingHistory>('options.thinkingHistory', 'toolTurns'),
		showThinking: parameters.boolean('options.showThinking', false),
		...omitUndefined({
			toolCallsInText: parameters.choice<'read' | 'leave'>('options.toolCallsInText', undefined),
			historyBudget: parameters.number('options.historyBudget', undefined),
			trace: readTrace(parameters),
		}),
		...readGenerationTimeouts(parameters),
	};
}

const traceFields: INodeProperties[] = [
	booleanField('Record Content', 'recordTexts', false, {
		description:
			'Whether traces contain the conversation and the response. Everyone with access to the traces can read them.',
	}),
	stringField('Session ID', 'sessionId', {
		placeholder: 'e.g. {{ $json.sessionId }}',
		description: 'Shared by all traces of a conversation',
	}),
	stringField('Tags', 'tags', {
		placeholder: 'e.g. support, production',
		description: 'Comma-separated',
	}),
	stringField('User ID', 'userId', { description: 'The user who asks' }),
];

/** Options for n8n's traces. */
export const traceField: INodeProperties = collectionField('Trace', 'trace', 'Field', {
	options: traceFields,
	description:
		'What traces contain in addition to the request and its response, if n8n exports traces',
});

/** @throws {ServerError} of type `invalidInput` naming the field */
function readTrace(parameters: NodeParameters): TraceSettings | undefined {
	const trace = asRecord(parameters.value('options.trace'));
	const settings = traceFields
		.filter(({ name }) => !isUnset(trace[name]))
		.map(({ name, displayName }) => {
			const field = { label: `Trace: ${displayName}` };
			return [name, readTraceField(field, name, trace[name])] as const;
		});
	return settings.length === 0 ? undefined : Object.fromEntries(settings);
}

function readTraceField(field: Field, name: string, value: unknown): unknown {
	if (name === 'recordTexts') return asBoolean(field, value);
	const text = [value].flat().map((entry) => asText(field, entry));
	const tags = splitNames(text.join(','));
	return name === 'tags' ? tags : text.map((entry) => entry.trim()).find(Boolean);
}
