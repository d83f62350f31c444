/** Texts of a text generator. */
import { parseOpenAiUsage } from '../../lib/chat/read/usage';
import { explainAppTypeError, fetchAppParameters } from '../../lib/dify/app';
import { sendCompletionMessage } from '../../lib/dify/run/send-completion-message';
import { withTextInput } from '../../lib/dify/text-input';
import type { RunResult } from '../../lib/dify/types';
import type { JsonRecord } from '../../lib/values/records';
import { omitEmpty } from '../../lib/values/records';
import type { DifyCall, DifyResource } from '../shared/dify/dify-operation';
import { reportRun } from '../shared/dify/report-run';
import { readUser, simplifyField, userField } from '../shared/dify/common-fields';
import { prepareRun } from '../shared/dify/prepare-run';
import { filesField } from '../shared/dify/run-files';
import { inputFields } from '../shared/dify/run-inputs';
import { toPlainObject } from '../shared/dify/run-output';
import { RUN_OPTIONS } from '../shared/dify/run-options';
import { optionsField } from '../shared/fields/options-field';
import { defineOperation } from '../shared/items/define-operation';
import type { FieldValues } from '../shared/items/define-operation';
import type { FieldTable } from '../../lib/fields/field';

const fields = {
	text: {
		kind: 'text',
		label: 'Text',
		rows: 4,
		description:
			'For apps with one text variable. Leave empty and fill in the form below for other apps.',
	},
	user: userField,
	...inputFields,
	files: filesField,
	simplify: simplifyField,
	options: optionsField({
		enableStreaming: RUN_OPTIONS.enableStreaming,
		idleTimeout: RUN_OPTIONS.idleTimeout,
		maxConcurrentItems: {
			...RUN_OPTIONS.maxConcurrentItems,
			description: 'How many texts to generate at the same time',
		},
		maxRetries: {
			...RUN_OPTIONS.maxRetries,
			description: 'How often to retry after a refused connection or when the app is busy',
		},
		totalTimeout: RUN_OPTIONS.totalTimeout,
	}),
} as const satisfies FieldTable;

export const texts: DifyResource = {
	name: 'Text',
	value: 'text',
	description: 'For text generator apps',
	operations: [
		defineOperation({
			name: 'Generate',
			value: 'generate',
			action: 'Generate a text',
			description: 'Generate a text with the app',
			mainFields: ['text'],
			fields,
			execute: generate,
		}),
	],
};

async function generate(call: DifyCall & FieldValues<typeof fields>) {
	const { client, source, values } = call;
	const user = readUser(source, values);
	const { text, simplify, files, options } = values;
	const request = await prepareRun(call, { user, inputs: values, files, options });
	const inputs = await addText(call, request.inputs, text);
	const result = await sendCompletionMessage(client, { ...request, inputs });
	reportRun(call, result);
	return { json: simplify ? toSimplifiedJson(result, user) : toRawJson(result, user) };
}

/** @throws {ServerError} also if the app is no text generator */
async function addText({ client }: DifyCall, inputs: JsonRecord, text: string) {
	if (text === '') return inputs;
	const appParameters = await fetchAppParameters(client);
	try {
		return withTextInput(inputs, { text, appParameters });
	} catch (error) {
		throw await explainAppTypeError(client, error, 'completion');
	}
}

function toSimplifiedJson(result: RunResult, user: string) {
	const { text, messageId, usage, retrieverResources: sources, reasoning, files } = result;
	return toPlainObject({
		answer: text,
		messageId,
		user,
		usage: parseOpenAiUsage(usage),
		...omitEmpty({ reasoning, sources, files }),
	});
}

/** The result in Dify's fields, like a blocking response. */
function toRawJson(result: RunResult, user: string) {
	const { text, messageId, taskId, metadata = {}, files, reasoning, createdAt } = result;
	return toPlainObject({
		event: 'message',
		task_id: taskId,
		message_id: messageId,
		mode: 'completion',
		user,
		answer: text,
		metadata,
		files,
		...omitEmpty({ reasoning }),
		created_at: createdAt,
	});
}
