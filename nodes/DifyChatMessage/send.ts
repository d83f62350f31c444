import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { chat, type ChatAnswer, type ChatOptions } from '../../lib/dify/chat';
import { difyFailure } from '../../lib/dify/failure';
import { appFileRules } from '../../lib/dify/files';
import type { ServerError } from '../../lib/errors/server-error';
import { userIn } from '../shared/dify/ids';
import { inputFields, inputsOf } from '../shared/dify/inputs';
import { filesField, takenFiles, uploadOf, wantedFiles } from '../shared/dify/run-files';
import { runDifyOperations, type DifyCall, type DifyOperation } from '../shared/dify/run';
import { simplifyField } from '../shared/dify/run-options';
import type { OperationItem, OperationTable } from '../shared/run/operations';
import { NodeParameters } from '../shared/parameters';
import { conversationIn, conversationKey, messageFields } from './message';
import { optionsField, readOptions } from './options';
import { answerItem } from './output';

const fields = [...messageFields, ...inputFields, filesField, simplifyField, optionsField];

/** The one operation of the node, which has no list of them. */
const send: DifyOperation = {
	option: { name: 'Send', value: 'send' },
	fields,
	run: async (call) => [await sendMessage(call)],
};

export const operations: OperationTable<DifyOperation> = { properties: fields, operationOf: () => send };

/** Messages of one conversation go one after another. */
export async function sendMessages(context: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	return await runDifyOperations(context, operations, (itemIndex) =>
		conversationKey(new NodeParameters(context, itemIndex, fields)),
	);
}

async function sendMessage(call: DifyCall): Promise<OperationItem> {
	const { context, app, parameters, typing, signal } = call;
	const user = userIn(parameters);
	const { answerField, autoGenerateName, include, limits, maxRetries, onPause, onStaleConversation, ...ids } =
		readOptions(parameters);
	const output = { simplify: parameters.flag('simplify'), answerField, user, include };
	const events: unknown[] = [];
	const wanted = await wantedFiles(context, parameters);
	const request = {
		query: parameters.freeText('query'),
		user,
		conversation: conversationIn(parameters),
		autoGenerateName,
		...ids,
	};
	const options: ChatOptions = {
		signal,
		limits,
		retries: maxRetries,
		onStaleConversation,
		hints: { wantAudio: include.includes('audio') },
		onDeltas: typing?.show,
		...(include.includes('events') ? { onEvent: (event: unknown) => void events.push(event) } : {}),
	};
	await typing?.begin();
	const inputs = await inputsOf(context, parameters, app, signal);
	const appParameters = wanted.length === 0 ? {} : await app.parameters(signal);
	const files = takenFiles(wanted, appFileRules(appParameters), appParameters);
	const upload = uploadOf(app.client, user, signal);
	const answer = await chat(
		app.client,
		{ ...request, inputs: await inputs(upload), files: await upload(files) },
		options,
	);
	if (answer.result.status === 'paused' && onPause === 'error') throw pausedError(answer);
	await typing?.end();
	const { result, conversationRestarted } = answer;
	result.warnings.forEach(call.hint);
	if (conversationRestarted)
		call.hint('The conversation could not be continued, so a new one was started. Its ID is in the item.');
	return await answerItem(context, answer, { ...output, events });
}

function pausedError({ result }: ChatAnswer): ServerError {
	const titles = result.pause?.forms.map(({ nodeTitle }) => nodeTitle).filter((title) => title !== undefined) ?? [];
	return difyFailure('runFailed', {
		status: 200,
		message: `The chatflow waits for a person${titles.length === 0 ? '' : ` (${titles.join(', ')})`}`,
		remedy:
			'Answer the form in Dify, or set "When Workflow Pauses" to Return What There Is and go on with the forms in the item.',
		result,
	});
}
