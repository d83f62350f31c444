/** The chat model on n8n's plain SDK. */
import type {
	Message as SdkMessage,
	StreamChunk as SdkChunk,
	Tool as SdkTool,
} from '@n8n/ai-node-sdk';
import { anySignal } from '../http/abort';
import { parseObject } from '../values/json';
import type { AiNodeSdk } from './host-classes';
import { runInSteps } from '../http/steps';
import type { HostGenerator } from './host-generator';
import { toMessageParts } from './message-parts';
import { streamText } from './stream-text';
import { readTools } from './tool-definitions';
import type { ChatRequest } from '../chat/chat-request';
import type { InputMessage } from '../chat/input-message';
import { MESSAGE_TYPES } from '../chat/input-message';

type SdkModel = Parameters<AiNodeSdk['supplyModel']>[1];

/**
 * Call options as the SDK's adapter really passes them: LangChain's, besides the documented ones (docs/protocols/n8n.md
 * 3.3).
 */
interface SdkCallOptions {
	signal?: AbortSignal;
	abortSignal?: AbortSignal;
	stop?: string[];
	stopSequences?: string[];
}

/** What the model consists of. */
export interface SdkChatModelFields {
	generate: HostGenerator;
	/** Name of the model, for n8n. */
	modelId: string;
	sdk: AiNodeSdk;
	/** Tools that are bound already, as n8n binds them. Default: none. */
	tools?: SdkTool[];
}

/**
 * The chat model on the plain SDK, for an n8n whose LangChain classes could not be found. Every tool call is one
 * complete delta with an id, since the adapter mixes up other forms. Errors are thrown, since the adapter takes an
 * error chunk for success. Text and calls only: no images, thinking or usage.
 */
export function createSdkChatModel({
	generate,
	modelId,
	sdk,
	tools = [],
}: SdkChatModelFields): SdkModel {
	const toChatRequest = async (
		messages: SdkMessage[],
		config: SdkCallOptions = {},
		abandoned?: AbortSignal,
	): Promise<ChatRequest> => ({
		messages: messages.flatMap(toInputMessages),
		...(await runInSteps(readTools(tools, sdk.getParametersJsonSchema))),
		stop: config.stop ?? config.stopSequences,
		signal: anySignal(config.signal ?? config.abortSignal, abandoned),
	});
	const model = {
		provider: 'n8n-nodes-local-llama',
		modelId,
		withTools: (newTools: SdkTool[]) => {
			// On a second binding, the adapter passes the same tools again.
			const added = new Set(newTools.map(({ name }) => name));
			const others = tools.filter(({ name }) => !added.has(name));
			return createSdkChatModel({ generate, modelId, sdk, tools: [...others, ...newTools] });
		},
		async generate(messages: SdkMessage[], config?: SdkCallOptions) {
			const { text, toolCalls } = await generate(async () => ({
				...(await toChatRequest(messages, config)),
				isNeededOnlyAtEnd: true,
			}));
			const calls = toolCalls.map(({ id, name, arguments: input }) => ({
				type: 'tool-call',
				toolCallId: id,
				toolName: name,
				input,
			}));
			return { message: { role: 'assistant', content: [{ type: 'text', text }, ...calls] } };
		},
		async *stream(messages: SdkMessage[], config?: SdkCallOptions): AsyncGenerator<SdkChunk> {
			const { toolCalls } = yield* streamText(
				async (onDelta, abandoned) =>
					await generate(async () => await toChatRequest(messages, config, abandoned), onDelta),
				(delta): SdkChunk[] => [{ type: 'text-delta', delta }],
			);
			for (const { id, name, arguments: args } of toolCalls)
				yield { type: 'tool-call-delta', id, name, argumentsDelta: args };
		},
	};
	return model as unknown as SdkModel;
}

/** One message of the SDK, which may hold several tool results. */
function toInputMessages({ role, content, name }: SdkMessage): InputMessage[] {
	const results = content.filter((part) => part.type === 'tool-result');
	if (results.length > 0)
		return results.map((part) => ({
			type: 'tool',
			toolCallId: part.toolCallId,
			name,
			content: toMessageParts('tool', part.result),
		}));
	const calls = content.filter((part) => part.type === 'tool-call');
	const type = MESSAGE_TYPES.get(role) ?? 'human';
	const texts = content.filter((part) => part.type === 'text');
	return [
		{
			type,
			content: toMessageParts(type, texts),
			toolCalls: calls.map((call) => ({
				id: call.toolCallId,
				name: call.toolName,
				args: parseObject(call.input) ?? {},
			})),
		},
	];
}
