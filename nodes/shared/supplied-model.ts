import type { ISupplyDataFunctions, SupplyData } from 'n8n-workflow';

import type { AnswerSource } from '../../lib/chat/types';
import { findHostClasses } from '../../lib/langchain/host';
import { localChatModelClass } from '../../lib/langchain/local-chat-model';
import { loadSdk } from '../../lib/langchain/sdk';
import { sdkChatModel } from '../../lib/langchain/sdk-chat-model';
import { tracingWithoutTokenizer } from '../../lib/langchain/tracing';
import { unstreamedHint } from './chat/unstreamed';
import { hintOnce } from './run/hints';
import { CancelWatch } from './cancel-watch';
import { countFailed, countGeneration } from './token-totals';

interface SuppliedModel {
	answers: AnswerSource;
	/** Model and settings for the log, without secrets. */
	settings: { model: string } & Record<string, unknown>;
	/** Turns a failure into the error that n8n shows. */
	toError: (error: unknown) => Error;
	/** Makes chains read the answer as JSON. */
	jsonOutput?: boolean;
}

/** Supplies a chat model, based on the host's own LangChain classes, or on the SDK's adapter if those have changed. */
export async function supplyModel(
	context: ISupplyDataFunctions,
	{ answers, settings, toError: explained, jsonOutput = false }: SuppliedModel,
): Promise<SupplyData> {
	const toError = (error: unknown) => {
		countFailed(context, error);
		return explained(error);
	};
	const sdk = loadSdk();
	const host = await findHostClasses(context, sdk);
	if ('missing' in host) {
		context.logger.warn(
			`${context.getNode().name}: this version of n8n is built differently (${host.missing}), so the SDK's adapter is used. Pictures, thinking and timings are lost.`,
		);
		return sdk.supplyModel(context, sdkChatModel(answers, settings.model, sdk, toError));
	}
	const { classes } = host;
	const Model = localChatModelClass(classes);
	const Tracing = tracingWithoutTokenizer(classes.N8nLlmTracing);
	const watch = new CancelWatch(context);
	return {
		response: new Model({
			answers,
			toJsonSchema: sdk.getParametersJsonSchema,
			callbacks: [
				new Tracing(context, {
					errorDescriptionMapper: ({ description }: { description?: string }) => description,
				}),
			],
			nodeSignal: watch.signal,
			onAnswer: () => watch.begin(),
			toError,
			onFinished: (answer) => {
				countGeneration(context, answer);
				for (const message of answer.notes) hintOnce(context, message);
				const unstreamed = unstreamedHint(context, answer.totalMs);
				if (unstreamed !== undefined) hintOnce(context, unstreamed);
			},
			settings,
			jsonOutput,
		}),
		closeFunction: async () => {
			watch.close();
			await Promise.resolve();
		},
	};
}
