import { withAbsoluteUrl } from '../../lib/dify/files';
import { sendChatMessage } from '../../lib/dify/run/start-run';
import { readUser } from '../shared/dify/fields';
import { inputFields, buildRunRequest } from '../shared/dify/run-request';
import { filesField } from '../shared/dify/run-files';
import {
	reportRun,
	type DifyCall,
	type DifyOperation,
	createDifyExecute,
} from '../shared/dify/dify-operation';
import { simplifyField } from '../shared/dify/run-options';
import { storeResultFiles, createPausedError } from '../shared/dify/run-output';
import type { OperationItem, OperationTable } from '../shared/run/operations';
import { isUnset, NodeParameters } from '../shared/parameters';
import {
	readConversation,
	getConversationKey,
	messageFields,
	optionsField,
	readOptions,
} from './fields';
import { toItemJson } from './output';

const fields = [...messageFields, ...inputFields, filesField, simplifyField, optionsField];

/** The node's only operation, without an operation field. */
const send: DifyOperation = {
	name: 'Send',
	value: 'send',
	fields,
	run: async (call) => [await sendMessage(call)],
};

export const operations: OperationTable<DifyOperation> = {
	properties: fields,
	getOperation: () => send,
};

/** Sends messages; those of one conversation in order. */
export const sendMessages = createDifyExecute(operations, (context, itemIndex) =>
	getConversationKey(new NodeParameters(context, itemIndex, fields)),
);

async function sendMessage(call: DifyCall): Promise<OperationItem> {
	const { client, parameters, typing } = call;
	const user = readUser(parameters);
	const {
		answerField,
		autoGenerateName,
		include,
		timeouts,
		retries,
		onPause,
		onStaleConversation,
		...ids
	} = readOptions(parameters);
	const simplify = parameters.boolean('simplify');
	const query = parameters.rawString('query');
	const conversation = readConversation(parameters);
	await typing?.begin();
	const request = {
		query,
		conversation,
		autoGenerateName,
		...ids,
		...(await buildRunRequest(call, user)),
	};
	const messageResult = await sendChatMessage(client, request, {
		onDeltas: typing?.show,
		timeouts,
		retries,
		onStaleConversation,
	});
	const { conversationRestarted } = messageResult;
	const files = messageResult.result.files.map((file) => withAbsoluteUrl(client, file));
	const result = { ...messageResult.result, files };
	if (result.status === 'paused' && onPause === 'error')
		throw createPausedError('chatflow', result);
	await typing?.end();
	reportRun(call, result);
	if (conversationRestarted)
		call.hint(
			'The conversation could not be continued, so a new one was started. The output contains its ID.',
		);
	const isChat = !isUnset(parameters.item().sessionId);
	const options = { simplify, answerField, user, include, isChat };
	const json = toItemJson({ result, conversationRestarted }, options);
	if (!include.includes('files')) return { json };
	const { binary, warnings } = await storeResultFiles(call, { ...result, workflow: undefined });
	warnings.forEach(call.hint);
	return { json, binary };
}
