/** Possible problems of a model server, and how to fix them. */
import { WAIT_FOR_MODEL } from '../errors/chapters/connections';
import { getErrorText } from '../errors/error-types';
import { quoted } from '../errors/rows/optional-facts';
import { formatDuration } from '../values/duration';
import type { ServerModel } from '../servers/server-model';
import { suggestModels } from '../errors/other-models';
import { hasFailed, mayWriteText } from '../servers/model-selection';
import type { CheckFacts } from './facts';
import { isDifyResponse } from './facts';
import { describeProbe } from './run-probe';
import type { FindingRules, FindingWithStatus } from './check-result';
import { evaluateRules, findingFromError, joinNames } from './check-result';

/** Tokens. Tools, memory and system prompt of an agent rarely take less (docs/protocols/llama-server.md 9.3). */
const SMALL_CONTEXT = 8_192;
const USUAL_CONTEXT = 16_384;
const SLOW_MS = 1_000;

const NO_MODEL: Partial<ServerModel> = {};

/** Reasons that the API cannot be used. The first match is the only finding, since all others follow from it. */
export const BLOCKING_RULES: FindingRules<CheckFacts> = {
	difyDetected: ({ url, modelListProbe, blocker }) => ({
		status: 'misconfigured',
		observed:
			blocker !== undefined && isDifyResponse(modelListProbe) && describeProbe(modelListProbe),
		detail: getErrorText('routeNotFound', { isDify: true }).title,
		suggestion: `Select Dify in this node, with a "Dify API" credential whose Base URL is ${new URL(url).origin}/v1. A model used by Dify is reached at its own server's address.`,
	}),
	notReady: ({ blocker }) => ({
		status: 'degraded',
		observed:
			blocker?.probe.url.endsWith('/health') &&
			blocker.error.type !== 'modelLoading' &&
			describeProbe(blocker.probe),
		detail: 'The server reports that it cannot respond to requests',
		suggestion: 'Check the server log. If the state does not change, restart the server.',
	}),
	whisperPath: ({ modelListProbe, blocker }) => ({
		status: 'misconfigured',
		observed:
			blocker?.error.type === 'routeNotFound' &&
			/whisper\.cpp/i.test(modelListProbe.headers.server ?? '') &&
			`${describeProbe(modelListProbe)}, from whisper.cpp`,
		detail: 'whisper-server transcribes at its own path, not at that of the OpenAI API',
		suggestion:
			'Start it with --inference-path /v1/audio/transcriptions, and leave the model of Local Llama (Audio: Transcribe) empty.',
	}),
	noResponse: ({ url, timeoutMs, blocker }) => {
		const { hostname } = new URL(url);
		const limit = formatDuration(timeoutMs);
		const isConnected = blocker?.error.facts.connected === true;
		return {
			status: 'unreachable',
			observed: blocker?.error.type === 'totalTimeout' && describeProbe(blocker.probe),
			detail: isConnected
				? `"${hostname}" accepts connections, but did not answer within ${limit}`
				: `No response from "${hostname}" within ${limit}`,
			suggestion: blocker?.error.suggestion ?? '',
		};
	},
};

/** Possible problems of a server whose API can be used. All matches are reported. */
export const FINDING_RULES: FindingRules<CheckFacts> = {
	redirected: ({ modelListProbe }) => {
		const { url, finalUrl } = modelListProbe;
		return {
			status: 'misconfigured',
			observed: new URL(finalUrl).origin !== new URL(url).origin && describeProbe(modelListProbe),
			detail:
				'The server redirects every request to another address, and generations do not follow redirects',
			suggestion: `Set the Base URL to ${finalUrl.replace(/[?#].*/s, '').replace(/(?:\/v1)?\/models\/?$/, '')}.`,
		};
	},
	healthUnanswered: ({ healthProbe }) => ({
		severity: 'warning',
		status: 'degraded',
		observed: healthProbe?.status === 0 && describeProbe(healthProbe),
		detail: 'The server lists its models, but does not respond to /health, so it may not generate',
		suggestion:
			'Run a generation, for example Server Health (Speed Test). If it does not respond either, restart the server and check its log: its engine may hang while its API responds.',
	}),
	noModels: ({ models, hasModelList, modelListProbe, hasKey, serverType: { texts } }) => ({
		status: 'misconfigured',
		observed:
			models.length === 0 && hasModelList && `${describeProbe(modelListProbe)}, an empty list`,
		detail: hasKey
			? 'The server has no models, or the key has no access to any of them'
			: 'The server has no models',
		suggestion: hasKey ? `${texts.noModels} Or give the key access to a model.` : texts.noModels,
	}),
	expectedModelMissing: (facts) => {
		const { expected, checkedModel, models, modelListProbe, serverType } = facts;
		const { model = '' } = expected;
		const ids = models.filter((one) => !hasFailed(one)).map(({ id }) => id);
		return {
			status: 'misconfigured',
			observed:
				model !== '' &&
				checkedModel === undefined &&
				models.length > 0 &&
				describeProbe(modelListProbe),
			detail: `The server does not offer the model${quoted(model)}`,
			suggestion: suggestModels(ids, serverType.texts.missingModel?.(model)),
		};
	},
	expectedModelLoading: ({ expected, checkedModel: { id, state = '' } = NO_MODEL }) => ({
		status: 'loading',
		observed:
			expected.model !== undefined &&
			/^(?:down)?loading$/.test(state) &&
			`/v1/models reports ${state}`,
		detail: `The model "${id}" is still loading`,
		suggestion: WAIT_FOR_MODEL,
	}),
	// A router reports an exit code for a model that could not be loaded, and after a forced unload.
	modelNotLoaded: ({ expected, checkedModel: { id, state = '', exitCode } = NO_MODEL }) => ({
		severity: state === 'failed' ? 'warning' : 'info',
		observed:
			expected.model !== undefined &&
			/^(?:unloaded|downloaded|failed)$/.test(state) &&
			`Its state is ${state}`,
		detail: `The model "${id}" is not loaded${exitCode === undefined ? '' : `: its last process exited with code ${exitCode}, because it was unloaded or could not be loaded`}`,
		suggestion:
			'The first request loads it, which takes a while, unless a router was started with --no-models-autoload. To load it in advance, use Local Llama (Model: Load).',
	}),
	modelFailed: ({ expected, models, checkedModel }) => {
		const isReported = (id: string) => expected.model !== undefined && id === checkedModel?.id;
		const failed = models.filter((model) => hasFailed(model) && !isReported(model.id));
		const codes = failed.map(({ id, exitCode = 'unknown' }) => `exit code ${exitCode} of "${id}"`);
		const names = joinNames(failed.map(({ id }) => `"${id}"`));
		return {
			severity: 'warning',
			observed: failed.length > 0 && `/v1/models reports ${joinNames(codes)}`,
			detail: `A model crashed, could not be loaded, or was unloaded by force: ${names}`,
			suggestion:
				'The server log has the reason. To try again, use Local Llama (Model: Load). Until then, model lists do not offer it if there are others.',
		};
	},
	contextBelowExpected: (facts) => {
		const { minContext = 0 } = facts.expected;
		const { context = Infinity } = facts;
		return {
			status: 'misconfigured',
			observed: context < minContext && `Context per request: ${context} tokens`,
			detail: `A request can use ${context} tokens of context, but ${minContext} are required`,
			suggestion: suggestContext(facts, minContext),
		};
	},
	contextSmallForAgents: (facts) => {
		const { expected, context = Infinity } = facts;
		const isSmall = context < SMALL_CONTEXT && expected.minContext === undefined;
		return {
			severity: 'warning',
			observed: isSmall && isForChats(facts) && `Context per request: ${context} tokens`,
			detail: `A request can use ${context} tokens of context, which is small for agents: tools and memory alone often need 4,000`,
			suggestion: suggestContext(facts, Math.min(USUAL_CONTEXT, getTrainedContext(facts))),
		};
	},
	modelLacksTools: (facts) => ({
		severity: 'warning',
		observed:
			isForChats(facts) &&
			facts.checkedModel?.tools === false &&
			'The chat template of the model does not support tools',
		detail: `Agents cannot call tools with the model "${facts.checkedModel?.id}"`,
		suggestion: facts.serverType.texts.tools,
	}),
	modelDecides: ({ checkedModel: { id, decisions, writesText } = NO_MODEL }) => ({
		severity: 'info',
		observed: decisions && writesText === false && 'The model list names decisions as its output',
		detail: `The model "${id}" answers typed questions with probabilities, and does not chat`,
		suggestion:
			'Use it in Local Llama (Text: Decide or Classify), and another model for agents and chats.',
	}),
	contextUnknown: ({ expected: { minContext }, context }) => ({
		severity: 'info',
		observed:
			minContext !== undefined && context === undefined && 'No response includes the context size',
		detail: `This server does not report whether it has ${minContext} tokens of context`,
		suggestion: 'Test it once with a real request.',
	}),
	requestsQueued: ({ server: { queue = 0, busySlots = 'unknown', slots } }) => ({
		severity: 'warning',
		observed: queue > 0 && `/metrics reports ${queue} waiting, ${busySlots} running`,
		detail: `${queue} ${queue === 1 ? 'request is' : 'requests are'} waiting for a slot${slots === undefined ? '' : `; the server has ${slots}`}`,
		suggestion:
			'Responses take longer than usual. Run fewer workflows at the same time, set Max Concurrent Requests in the credential, or add slots (-np).',
	}),
	slowResponse: ({ server: { latencyMs = 0 } }) => ({
		severity: 'warning',
		observed: latencyMs > SLOW_MS && `The fastest response took ${latencyMs} ms`,
		detail: `The server took ${latencyMs} ms for a simple response`,
		suggestion:
			'The machine may be overloaded or short of memory, or the network may be slow. Check top on the server, and compare with ping.',
	}),
	partlyOnCpu: ({ models }) => {
		const partly = models.filter(({ gpuShare = 1 }) => gpuShare < 0.99);
		const shares = partly.map(({ id, gpuShare }) => `${Math.round(gpuShare! * 100)} % of ${id}`);
		return {
			severity: 'warning',
			observed: shares.length > 0 && `/api/ps reports ${shares.join(', ')}`,
			detail:
				'A model is only partly in GPU memory: the rest runs on the CPU, which slows everything down',
			suggestion:
				'Use a smaller quantization or model, or a shorter context (OLLAMA_CONTEXT_LENGTH). If the share is 0 %, Ollama found no usable GPU: check the start of its log (ollama serve), and give the container access to the GPU (--gpus all, or /dev/kfd and /dev/dri for AMD).',
		};
	},
	modelRunsRemotely: ({ checkedModel: { id, remoteHost } = NO_MODEL }) => ({
		severity: 'warning',
		observed: remoteHost && `/api/tags reports remote_host ${remoteHost}`,
		detail: `The model "${id}" runs on ${remoteHost}: your data leaves your network`,
		suggestion:
			'If texts must stay in your network, choose a model whose files are on this server, without ":cloud" or "-cloud" in its tag.',
	}),
	serverSleeping: ({ server: { sleeping } }) => ({
		severity: 'info',
		observed: sleeping && '/props reports is_sleeping',
		detail: 'The server is sleeping: it has unloaded its model and reloads it on the next request',
		suggestion:
			'The first response takes as long as loading. If that is too long, raise --sleep-idle-seconds, or remove it.',
	}),
	unrecognizedServer: ({ hasModelList, modelListProbe, tasks }) => ({
		severity: 'info',
		observed: !hasModelList && describeProbe(modelListProbe),
		detail: `The server has no model list, but it has endpoints for ${joinNames(tasks)}`,
		suggestion:
			'If requests work, nothing is wrong: enter the model name. Otherwise check the Base URL and the port.',
	}),
};

/** The findings of a model server, in the order of the rules. If something makes all else unknown, only that. */
export function getFindings(facts: CheckFacts): FindingWithStatus[] {
	const { blocker } = facts;
	if (blocker === undefined) return evaluateRules(FINDING_RULES, facts);
	const [cause] = evaluateRules(BLOCKING_RULES, facts);
	return [cause ?? findingFromError(blocker.error, describeProbe(blocker.probe))];
}

/** Decision models do not chat; embedding and reranker models have short contexts by nature, and do not call tools. */
function isForChats({ models, checkedModel }: CheckFacts) {
	return mayWriteText(checkedModel ?? {}) && models.some(mayWriteText);
}

/** Tokens that the checked model was trained for. Infinity if the server does not say. */
function getTrainedContext({ checkedModel }: CheckFacts): number {
	return checkedModel?.trainedContext ?? Infinity;
}

/** How to get this many tokens: a setting if the model was trained for them, otherwise another model. */
function suggestContext(facts: CheckFacts, tokens: number) {
	const trained = getTrainedContext(facts);
	const { checkedModel, server, serverType } = facts;
	if (trained >= tokens && (checkedModel?.context ?? 0) < trained)
		return serverType.texts.context(tokens, server.slots);
	return `The model was trained for ${trained} tokens, so no setting gives it more: choose a model with a larger context.`;
}
