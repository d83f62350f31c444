import type { INode, ISupplyDataFunctions, SupplyData } from 'n8n-workflow';
import type { ChatGenerator } from '../../lib/chat/types';
import { findHostClasses, loadSdk } from '../../lib/langchain/host-classes';
import {
	getLocalChatModelClass,
	createTracerWithoutTokenizer,
} from '../../lib/langchain/local-chat-model';
import { createSdkChatModel } from '../../lib/langchain/sdk-chat-model';
import { addHintOnce } from './run/hints';
import { CancelPoller } from './cancel-poller';
import { addFailedTokenTotals, addTokenTotals } from './token-totals';
import { tryOrUndefined } from '../../lib/values';

interface SuppliedModel {
	generate: ChatGenerator;
	/** Model and settings for the log, without secrets. */
	settings: { model: string } & Record<string, unknown>;
	/** Converts an error to the one that n8n shows. */
	toError: (error: unknown) => Error;
	/** Makes chains parse the response as JSON. */
	jsonOutput?: boolean;
}

/** Supplies a chat model, based on the host's own LangChain classes, or on the SDK's adapter if those have changed. */
export async function supplyModel(
	context: ISupplyDataFunctions,
	{ generate, settings, toError: toNodeError, jsonOutput = false }: SuppliedModel,
): Promise<SupplyData> {
	const toError = (error: unknown) => {
		addFailedTokenTotals(context, error);
		return toNodeError(error);
	};
	const sdk = loadSdk();
	const host = await findHostClasses(context, sdk);
	if ('missing' in host) {
		context.logger.warn(
			`${context.getNode().name}: this n8n version has a different structure (${host.missing}), so the SDK adapter is used. Images, thinking and timings are lost.`,
		);
		return sdk.supplyModel(context, createSdkChatModel(generate, settings.model, sdk, toError));
	}
	const { classes } = host;
	const Model = getLocalChatModelClass(classes);
	const Tracing = createTracerWithoutTokenizer(classes.N8nLlmTracing);
	const poller = new CancelPoller(context);
	return {
		response: new Model({
			generate,
			toJsonSchema: sdk.getParametersJsonSchema,
			callbacks: [
				new Tracing(context, {
					errorDescriptionMapper: ({ description }: { description?: string }) => description,
				}),
			],
			nodeSignal: poller.signal,
			watchCancel: () => poller.begin(),
			toError,
			onFinished: (result) => {
				addTokenTotals(context, result);
				for (const message of result.warnings) addHintOnce(context, message);
				const streamingHint = getStreamingHint(context, result.totalMs);
				if (streamingHint !== undefined) addHintOnce(context, streamingHint);
			},
			settings,
			jsonOutput,
		}),
		closeFunction: async () => {
			poller.close();
			await Promise.resolve();
		},
	};
}

/** After this time without output, users assume that a chat is broken. */
const NOTICEABLE_WAIT_MS = 5_000;

type Context = Pick<ISupplyDataFunctions, 'evaluateExpression' | 'getChatTrigger'> & {
	isStreaming?(): boolean;
};

/**
 * Suggests to enable streaming if a chat stayed empty while its response was generated. Undefined if that took little
 * time, if the response was streamed, and if the execution did not start in a chat.
 */
export function getStreamingHint(context: Context, totalMs: number): string | undefined {
	if (totalMs <= NOTICEABLE_WAIT_MS || context.isStreaming?.() !== false) return undefined;
	const trigger = tryOrUndefined(() => context.getChatTrigger());
	if (!trigger || !respondsWhenFinished(trigger) || !isExecuted(context, trigger)) return undefined;
	return `The chat showed nothing for ${Math.round(totalMs / 1000)} seconds. In "${trigger.name}", set Options → Response Mode to Streaming, so that the AI Agent streams its response.`;
}

/** Whether the Chat Trigger responds when the last node has finished, its default. */
function respondsWhenFinished({ parameters }: INode): boolean {
	const { responseMode = 'lastNode' } = (parameters.options ?? {}) as { responseMode?: string };
	return responseMode === 'lastNode';
}

function isExecuted(context: Context, { name }: INode): boolean {
	// n8n adds the "=" itself.
	const expression = `{{ $(${JSON.stringify(name)}).isExecuted }}`;
	return tryOrUndefined(() => context.evaluateExpression(expression, 0)) === true;
}
