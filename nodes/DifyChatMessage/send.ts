import { withAbsoluteUrl } from '../../lib/dify/files';
import { sendChatMessage, type ChatMessageResult } from '../../lib/dify/run/start-run';
import { inputFields, buildRunRequest, filesField } from '../shared/dify/run-request';
import {
	reportRun,
	type DifyCall,
	type DifyOperation,
	createDifyExecute,
	readUser,
	simplifyField,
} from '../shared/dify/dify-operation';
import {
	storeResultFiles,
	createPausedError,
	toPlainObject,
	toSimpleForm,
} from '../shared/dify/run-output';
import type { OperationTable } from '../shared/run/operations';
import { isUnset, NodeParameters } from '../shared/parameters';
import {
	readConversation,
	getConversationKey,
	messageFields,
	optionsField,
	readOptions,
	type IncludedPart,
} from './fields';
import { parseOpenAiUsage } from '../../lib/chat/usage';
import type { RunResult } from '../../lib/dify/types';
import { omitEmpty } from '../../lib/values';

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
	subtitle:
		'={{ { auto: "automatic conversation", new: "new conversation", latest: "latest conversation", byId: "existing conversation" }[$parameter.conversation] }}',
	getOperation: () => send,
};

/** Sends messages; those of one conversation in order. */
export const sendMessages = createDifyExecute(operations, 'app', (context, itemIndex) =>
	getConversationKey(new NodeParameters(context, itemIndex, fields)),
);

async function sendMessage(call: DifyCall) {
	const { client, parameters, typing } = call;
	const options = {
		...readOptions(parameters),
		user: readUser(parameters),
		simplify: parameters.boolean('simplify'),
		isChat: !isUnset(parameters.item().sessionId),
	};
	const query = parameters.rawString('query');
	const conversation = readConversation(parameters);
	await typing?.begin();
	const runRequest = await buildRunRequest(call, options.user);
	const messageResult = await sendChatMessage(
		client,
		{ ...options, ...runRequest, query, conversation },
		{ ...options, onDeltas: typing?.show },
	);
	const { conversationRestarted } = messageResult;
	const files = messageResult.result.files.map((file) => withAbsoluteUrl(client, file));
	const result = { ...messageResult.result, files };
	if (result.status === 'paused' && options.onPause === 'error')
		throw createPausedError('chatflow', result);
	reportRun(call, result);
	if (conversationRestarted)
		call.hint(
			'The conversation could not be continued, so a new one was started. The output contains its ID.',
		);
	const json = toItemJson({ result, conversationRestarted }, options);
	if (!options.include.includes('files')) return { json };
	const { binary, warnings } = await storeResultFiles(call, { ...result, workflow: undefined });
	warnings.forEach(call.hint);
	return { json, binary };
}

interface OutputOptions {
	simplify: boolean;
	answerField: string;
	/** The user of the message: later nodes need the same one. */
	user: string;
	include: readonly IncludedPart[];
	/** Whether the item is from a chat, which shows the field "output" of the last node. */
	isChat: boolean;
}

function toItemJson(messageResult: ChatMessageResult, options: OutputOptions) {
	const { result, conversationRestarted } = messageResult;
	return toPlainObject({
		...(options.simplify ? toSimplifiedJson(result, options) : toRawJson(result, options)),
		...(conversationRestarted && { conversationRestarted }),
		...toIncludedFields(result, options),
		...(options.isChat && { output: result.text }),
	});
}

/** The response, and what later nodes need. */
function toSimplifiedJson(result: RunResult, options: OutputOptions) {
	const { conversationId, messageId, reasoning, files, status, workflowRunId, pause } = result;
	const answer = { [options.answerField]: result.text };
	return {
		...answer,
		conversationId,
		messageId,
		user: options.user,
		...omitEmpty({ reasoning, files }),
		usage: parseOpenAiUsage(result.usage),
		...(status !== 'succeeded' && { status }),
		// As in Dify Workflow, whose operations submit the forms and follow the run.
		...(pause && { workflowRunId, forms: pause.forms.map(toSimpleForm) }),
		// Twice: above, to be first; here, to replace another field with the same name.
		...answer,
	};
}

/** The result in Dify's fields, like a blocking response, plus the data of the stream. */
function toRawJson(result: RunResult, { user }: OutputOptions) {
	return {
		event: result.status === 'paused' ? 'workflow_paused' : 'message',
		task_id: result.taskId,
		id: result.messageId,
		message_id: result.messageId,
		conversation_id: result.conversationId,
		workflow_run_id: result.workflowRunId,
		user,
		status: result.status,
		answer: result.text,
		metadata: result.metadata ?? {},
		files: result.files,
		...omitEmpty({ reasoning: result.reasoning }),
		created_at: result.createdAt,
		...(result.pause && {
			forms: result.pause.forms,
			data: { ...toSnakeCase(result.pause), forms: result.pause.forms.map(toSnakeCase) },
		}),
	};
}

function toSnakeCase(value: object) {
	return Object.fromEntries(
		Object.entries(value).map(([name, field]: [string, unknown]) => [
			name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
			field,
		]),
	);
}

function toIncludedFields(result: RunResult, { include }: OutputOptions) {
	return {
		...(include.includes('sources') && { sources: result.retrieverResources }),
		...(include.includes('thoughts') && { thoughts: result.thoughts }),
		...(include.includes('workflow') && { workflow: result.workflow }),
	};
}
