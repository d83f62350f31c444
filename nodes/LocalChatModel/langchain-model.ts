/** A generator as a LangChain model of this n8n. */
import type { SupplyData } from 'n8n-workflow';
import { isJsonRequested } from '../../lib/chat/settings';
import type { ChatSettings } from '../../lib/chat/settings';
import { findHostClasses, loadSdk } from '../../lib/langchain/host-classes';
import type { HostGenerator } from '../../lib/langchain/host-generator';
import { getLocalChatModelClass } from '../../lib/langchain/local-chat-model';
import { getTracerWithoutTokenizer } from '../../lib/langchain/tracer-without-tokenizer';
import { createSdkChatModel } from '../../lib/langchain/sdk-chat-model';
import type { ModelServer } from '../../lib/servers/types/server-type';
import type { SubNode } from '../shared/items/sub-node';

/** What a model consists of. */
export interface LangChainModelOptions {
	generate: HostGenerator;
	/** Shown in the execution log. */
	settings: ChatSettings;
	/** Shown in the execution log. */
	server: ModelServer;
}

/** Builds the model on the host's own LangChain classes, or on the SDK's adapter if those have changed. */
export async function createLangChainModel(
	{ context }: SubNode,
	{ generate, settings, server }: LangChainModelOptions,
): Promise<SupplyData> {
	const sdk = loadSdk();
	const host = await findHostClasses(context, sdk);
	if (host.type === 'missing') {
		context.logger.warn(
			`${context.getNode().name}: this n8n version has a different structure (${host.missing}), so the SDK adapter is used. Images, thinking and timings are lost.`,
		);
		const model = createSdkChatModel({ generate, modelId: settings.model, sdk });
		return sdk.supplyModel(context, model);
	}
	const Model = getLocalChatModelClass(host.classes);
	const Tracing = getTracerWithoutTokenizer(host.classes.N8nLlmTracing);
	const response = new Model({
		generate,
		toJsonSchema: sdk.getParametersJsonSchema,
		callbacks: [
			new Tracing(context, {
				errorDescriptionMapper: ({ description }: { description?: string }) => description,
			}),
		],
		settings: {
			model: settings.model,
			baseUrl: server.getApiUrl(),
			serverType: server.configuredType ?? 'auto',
			options: { ...settings.sampling, ...settings.timeouts, retries: settings.retries },
		},
		jsonOutput: isJsonRequested(settings.sampling),
	});
	return { response };
}
