/** The chat model on n8n's own LangChain classes. */
import type { ChatResult } from '../chat/chat-result';
import type {
	AiNodeSdk,
	HostBaseChatModel,
	HostClasses,
	HostGenerationChunk,
	HostRunManager,
	HostRunnable,
} from './host-classes';
import { memoize } from '../lru-cache';
import type { JsonRecord } from '../values/records';
import { asNonEmptyString, asRecord, asRecords, omitUndefined } from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import { FORMAT_TOOL_NAME } from '../chat/tools/format-tool';
import { anySignal } from '../http/abort';
import { toToolChoice, toGenerationInfo, toInputMessage, toUsageMetadata } from './host-data';
import { streamText } from './stream-text';
import { parseRawOutput, parseStructuredOutput, toRequestedFormat } from './structured-output';
import type { StructuredOutputConfig, StructuredOutputRequest } from './structured-output';
import { readTools } from './tool-definitions';
import { assertSchemaSize } from '../chat/body/schema-size';
import { RESPONSE_SCHEMA } from './json-schema';
import { runInSteps } from '../http/steps';
import { estimateContentTokens } from './content-tokens';
import type { HostGenerator } from './host-generator';

interface LocalChatModelFields {
	generate: HostGenerator;
	/** The host's schema converter. */
	toJsonSchema: AiNodeSdk['getParametersJsonSchema'];
	/** Callbacks; the first one is n8n's tracer. */
	callbacks: object[];
	/** Settings for the execution log, without secrets. */
	settings: JsonRecord;
	/** Makes chains parse the response as JSON. */
	jsonOutput: boolean;
}

/** Call options as LangChain passes them. */
interface CallOptions {
	signal?: AbortSignal;
	stop?: string[];
	tools?: unknown[];
	tool_choice?: unknown;
	structuredOutput?: StructuredOutputRequest;
}

type LocalChatModelClass = new (fields: LocalChatModelFields) => object;

const NO_USAGE = { promptTokens: 0, completionTokens: 0, totalTokens: 0 };

/** The chat model on the host's LangChain. One class per copy of LangChain. */
export const getLocalChatModelClass: (host: HostClasses) => LocalChatModelClass = memoize(
	(host: HostClasses) => defineClass(host) as unknown as LocalChatModelClass,
);

function defineClass({ BaseChatModel, AIMessageChunk, ChatGenerationChunk }: HostClasses) {
	const createTextChunk = (text: string) =>
		new ChatGenerationChunk({ text, message: new AIMessageChunk({ content: text }) });

	return class LocalChatModel extends BaseChatModel {
		/** n8n recognizes a chat model by this name (docs/protocols/n8n.md 2.1). */
		lc_namespace = ['n8n-nodes-local-llama', 'chat_models'];
		lc_serializable = true;
		private readonly fields: LocalChatModelFields;

		static lc_name() {
			return 'LocalChatModel';
		}

		constructor(fields: LocalChatModelFields) {
			// The execution log shows the fields of the base class.
			super({ ...fields.settings, callbacks: fields.callbacks });
			this.fields = fields;
			if (fields.jsonOutput) this.metadata = { ...this.metadata, output_format: 'json' };
		}

		get lc_serializable_keys() {
			return ['model', 'baseUrl', 'serverType', 'options', 'headers'];
		}

		_llmType() {
			return 'local-llama';
		}

		/** What LangChain's tracers record of a call, beside its texts. */
		getLsParams({ stop }: CallOptions = {}) {
			const { model, options } = this.fields.settings;
			const { temperature, maxTokens } = asRecord(options);
			return {
				ls_provider: this._llmType(),
				ls_model_type: 'chat',
				...omitUndefined({
					ls_model_name: asNonEmptyString(model),
					ls_temperature: asFiniteNumber(temperature),
					ls_max_tokens: asFiniteNumber(maxTokens),
					ls_stop: stop,
				}),
			};
		}

		/**
		 * An estimate from the text alone: the host's tokenizer downloads a file, and waits 88 s on a machine without
		 * internet.
		 */
		async getNumTokens(content: unknown) {
			return estimateContentTokens([content].flat());
		}

		/**
		 * Returns a binding, not a new model: the agent binds again on top of it, and callbacks added later must be kept.
		 */
		bindTools(tools: unknown[], kwargs: JsonRecord = {}) {
			return this.withConfig({ ...kwargs, tools });
		}

		/**
		 * The response is JSON by its schema, as with Response Format: with our check and correction, and without tools,
		 * which many models and servers lack. Only a caller that requires a tool by its `method` gets one.
		 */
		override withStructuredOutput(
			schema: unknown,
			config: StructuredOutputConfig = {},
		): HostRunnable {
			if (config.method === 'functionCalling') return this.withRequiredTool(schema, config);
			const { name, includeRaw } = config;
			const structuredOutput: StructuredOutputRequest = { schema, name, includeRaw };
			const { toJsonSchema } = this.fields;
			return this.withConfig({ structuredOutput }).pipe(
				includeRaw === true
					? async (raw) => await parseRawOutput(raw, structuredOutput, toJsonSchema)
					: async (raw) => await parseStructuredOutput(schema, raw),
			);
		}

		/** Uses a tool as LangChain does, but requires the call: otherwise small models respond in prose. */
		private withRequiredTool(schema: unknown, config: StructuredOutputConfig) {
			// LangChain converts it at once, with a copy of the converter that is as slow as n8n's.
			assertSchemaSize(schema, RESPONSE_SCHEMA);
			const modelWithRequiredTool = Object.create(this, {
				bindTools: {
					value: (tools: unknown[]) => this.bindTools(tools, { tool_choice: 'required' }),
				},
			}) as HostBaseChatModel;
			return super.withStructuredOutput.call(modelWithRequiredTool, schema, config);
		}

		async *_streamResponseChunks(
			messages: unknown[],
			options: CallOptions,
			runManager?: HostRunManager,
		): AsyncGenerator<HostGenerationChunk> {
			const handlesTokens = runManager !== undefined && wantsTokenEvents(runManager);
			const result = yield* streamText(
				async (onDelta, abandoned) =>
					await this.fields.generate(async () => {
						const chatRequest = await this.toChatRequest(messages, options, abandoned);
						// Agent 1.9 streams a response for an output parser, although n8n does not show its text.
						const hasParser = chatRequest.tools.some(({ name }) => name === FORMAT_TOOL_NAME);
						return { ...chatRequest, isNeededOnlyAtEnd: hasParser && !handlesTokens };
					}, onDelta),
				async function* (text) {
					const chunk = createTextChunk(text);
					yield chunk;
					if (!handlesTokens) return;
					const noIndex = { prompt: 0, completion: 0 };
					const noRun = [undefined, undefined, undefined];
					await runManager.handleLLMNewToken(text, noIndex, ...noRun, { chunk });
				},
			);
			yield createLastChunk(result, '');
		}

		async _generate(messages: unknown[], options: CallOptions) {
			const result = await this.fields.generate(async () => ({
				...(await this.toChatRequest(messages, options)),
				isNeededOnlyAtEnd: true,
			}));
			const { promptTokens, completionTokens, totalTokens } = result.usage ?? NO_USAGE;
			return {
				generations: [createLastChunk(result, result.text)],
				llmOutput: { tokenUsage: { promptTokens, completionTokens, totalTokens } },
			};
		}

		private async toChatRequest(
			messages: unknown[],
			{ signal, stop, tools = [], tool_choice: choice, structuredOutput }: CallOptions,
			abandoned?: AbortSignal,
		) {
			const { toJsonSchema } = this.fields;
			return {
				messages: messages.map(toInputMessage),
				...(await runInSteps(readTools(tools, toJsonSchema))),
				toolChoice: toToolChoice(choice),
				requestedFormat: structuredOutput && toRequestedFormat(structuredOutput, toJsonSchema),
				stop,
				signal: anySignal(signal, abandoned),
			};
		}
	};

	/**
	 * The chunk with tool calls, thinking, usage and timings.
	 *
	 * @param text the whole text if nothing was streamed
	 */
	function createLastChunk(result: ChatResult, text: string) {
		const generationInfo = toGenerationInfo(result);
		const message = new AIMessageChunk({
			content: text,
			tool_call_chunks: result.toolCalls.map(({ id, name, arguments: args }, index) => ({
				type: 'tool_call_chunk',
				index,
				id,
				name,
				args,
			})),
			// The agent stores this field with the action and puts it back into the next round (docs/protocols/n8n.md 2.4).
			additional_kwargs: result.reasoning ? { reasoning_content: result.reasoning } : {},
			response_metadata: {
				finish_reason: result.finishReason,
				model_name: result.model,
			},
			usage_metadata: toUsageMetadata(result),
		});
		return new ChatGenerationChunk({ text, message, generationInfo });
	}
}

/** Whether a callback handles tokens: n8n's tracer does not, its agent's events do. */
export function wantsTokenEvents({ handlers }: HostRunManager): boolean {
	if (!Array.isArray(handlers)) return true;
	return asRecords(handlers).some((handler) => handler.handleLLMNewToken !== undefined);
}
