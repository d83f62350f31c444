/** Possible problems of a model server, and how to fix them. */
import { parseHostAndPort, getErrorText } from '../errors/server-error';
import { formatDuration } from '../errors/texts/error-text';
import { suggestModels } from '../servers/models';
import { isDifyResponse, type CheckFacts } from './facts';
import { describeProbe } from './probes';
import {
	evaluateRules,
	findingFromError,
	joinNames,
	type FindingRule,
	type FindingWithStatus,
} from './check-result';

/** Tokens. Tools, memory and system prompt of an agent rarely take less (docs/protocols/llama-server.md 9.3). */
const SMALL_CONTEXT = 8_192;
const USUAL_CONTEXT = 16_384;
const SLOW_MS = 1_000;

const LOADING_SUGGESTION =
	'Wait for it with the operation "Wait Until Ready". Large models on slow disks take minutes; if loading never finishes, check the server log.';

/** Reasons that the API cannot be used. The first match is the only finding, since all others follow from it. */
const BLOCKING_FINDINGS: ReadonlyArray<FindingRule<CheckFacts>> = [
	{
		id: 'difyDetected',
		status: 'misconfigured',
		observe: ({ modelListProbe, failedProbe }) =>
			failedProbe !== undefined && isDifyResponse(modelListProbe) && describeProbe(modelListProbe),
		detail: getErrorText('routeNotFound', { isDify: true }).title,
		suggestion: ({ url }) =>
			`Select Dify in this node, with a "Dify API" credential whose Base URL is ${new URL(url).origin}/v1. A model used by Dify is reached at its own server's address.`,
	},
	{
		id: 'notReady',
		status: 'degraded',
		observe: ({ failedProbe }) =>
			failedProbe?.probe.url.endsWith('/health') &&
			failedProbe.error.type !== 'modelLoading' &&
			describeProbe(failedProbe.probe),
		detail: 'The server reports that it cannot respond to requests',
		suggestion: 'Check the server log. If the state does not change, restart the server.',
	},
	{
		id: 'noResponse',
		status: 'unreachable',
		observe: ({ failedProbe }) =>
			failedProbe?.error.type === 'totalTimeout' && describeProbe(failedProbe.probe),
		detail: ({ url, timeoutMs }) =>
			`No response from "${new URL(url).hostname}" within ${formatDuration(timeoutMs)}`,
		suggestion: ({ url }) =>
			`${getErrorText('connectTimeout', { ...parseHostAndPort(url), url, root: url }).suggestion} If the connection succeeds: the server process may be frozen (out of memory and swapping, a hung GPU driver), a port forward (Docker, ssh -L) may lead nowhere, or the server is slow or far away: raise Check Timeout.`,
	},
];

/** Possible problems of a server that responds. All matches are reported. */
export const FINDINGS: ReadonlyArray<FindingRule<CheckFacts>> = [
	...BLOCKING_FINDINGS,
	{
		id: 'redirected',
		status: 'misconfigured',
		observe: ({ modelListProbe }) =>
			new URL(modelListProbe.finalUrl).origin !== new URL(modelListProbe.url).origin &&
			describeProbe(modelListProbe),
		detail:
			'The server redirects every request to another address, and generations do not follow redirects',
		suggestion: ({ modelListProbe }) =>
			`Set the Base URL to ${modelListProbe.finalUrl.replace(/[?#].*/s, '').replace(/(?:\/v1)?\/models\/?$/, '')}.`,
	},
	{
		id: 'noModels',
		status: 'misconfigured',
		observe: ({ models, isUnlisted, modelListProbe }) =>
			models.length === 0 && !isUnlisted && `${describeProbe(modelListProbe)}, an empty list`,
		detail: ({ hasKey }) =>
			hasKey
				? 'The server has no models, or the key has no access to any of them'
				: 'The server has no models',
		suggestion: ({ serverType: { texts }, hasKey }) =>
			hasKey ? `${texts.noModels} Or give the key access to a model.` : texts.noModels,
	},
	{
		id: 'expectedModelMissing',
		status: 'misconfigured',
		observe: ({ expected, checkedModel, models, modelListProbe }) =>
			expected.model !== undefined &&
			checkedModel === undefined &&
			models.length > 0 &&
			describeProbe(modelListProbe),
		detail: ({ expected }) => `The server does not offer the model "${expected.model}"`,
		suggestion: ({ expected: { model = '' }, models, serverType: { texts } }) =>
			suggestModels(
				models.map(({ id }) => id),
				texts.missingModel?.(model),
			),
	},
	{
		id: 'expectedModelLoading',
		status: 'loading',
		observe: ({ expected, checkedModel }) =>
			expected.model !== undefined &&
			/^(?:down)?loading$/.test(checkedModel?.state ?? '') &&
			`/v1/models reports ${checkedModel!.state}`,
		detail: ({ checkedModel }) => `The model "${checkedModel!.id}" is still loading`,
		suggestion: LOADING_SUGGESTION,
	},
	{
		id: 'modelNotLoaded',
		severity: ({ checkedModel }) => (checkedModel?.state === 'failed' ? 'warning' : 'info'),
		observe: ({ expected, checkedModel }) =>
			expected.model !== undefined &&
			/^(?:unloaded|downloaded|failed)$/.test(checkedModel?.state ?? '') &&
			`Its state is ${checkedModel!.state}`,
		// A router reports an exit code for a model that could not be loaded, and after a forced unload.
		detail: ({ checkedModel: { id, exitCode } = { id: '' } }) =>
			`The model "${id}" is not loaded${exitCode === undefined ? '' : `: its last process exited with code ${exitCode}, because it was unloaded or could not be loaded`}`,
		suggestion:
			'The first request loads it, which takes a while, unless a router was started with --no-models-autoload. To load it in advance, use Local Llama (Model: Load).',
	},
	{
		id: 'contextBelowExpected',
		status: 'misconfigured',
		observe: (facts) => {
			const { expected, context = Infinity } = facts;
			return context < (expected.minContext ?? 0) && `Context per request: ${context} tokens`;
		},
		detail: (facts) =>
			`A request can use ${facts.context} tokens of context, but ${facts.expected.minContext} are required`,
		suggestion: (facts) => suggestContext(facts, facts.expected.minContext!),
	},
	{
		id: 'contextSmallForAgents',
		severity: 'warning',
		observe: (facts) => {
			const { expected, context = Infinity } = facts;
			const isSmall = context < SMALL_CONTEXT && expected.minContext === undefined;
			return isSmall && isForChats(facts) && `Context per request: ${context} tokens`;
		},
		detail: ({ context }) =>
			`A request can use ${context} tokens of context, which is small for agents: tools and memory alone often need 4,000`,
		suggestion: (facts) => suggestContext(facts, USUAL_CONTEXT),
	},
	{
		id: 'modelLacksTools',
		severity: 'warning',
		observe: (facts) =>
			isForChats(facts) &&
			facts.checkedModel?.tools === false &&
			'The chat template of the model does not support tools',
		detail: ({ checkedModel }) => `Agents cannot call tools with the model "${checkedModel!.id}"`,
		suggestion: ({ serverType: { texts } }) => texts.tools,
	},
	{
		id: 'contextUnknown',
		severity: 'info',
		observe: ({ expected, context }) =>
			expected.minContext !== undefined &&
			context === undefined &&
			'No response includes the context size',
		detail: ({ expected }) =>
			`This server does not report whether it has ${expected.minContext} tokens of context`,
		suggestion: 'Test it once with a real request.',
	},
	{
		id: 'requestsQueued',
		severity: 'warning',
		observe: ({ server: { queue = 0, busySlots } }) =>
			queue > 0 && `/metrics reports ${queue} waiting, ${busySlots ?? 'unknown'} running`,
		detail: ({ server: { queue, slots } }) =>
			`${queue} ${queue === 1 ? 'request is' : 'requests are'} waiting for a slot${slots === undefined ? '' : `; the server has ${slots}`}`,
		suggestion:
			'Responses take longer than usual. Run fewer workflows at the same time, set Max Concurrent Requests in the credential, or add slots (-np).',
	},
	{
		id: 'slowResponse',
		severity: 'warning',
		observe: ({ server: { latencyMs = 0 } }) =>
			latencyMs > SLOW_MS && `The fastest response took ${latencyMs} ms`,
		detail: ({ server }) => `The server took ${server.latencyMs} ms for a simple response`,
		suggestion:
			'The machine may be overloaded or short of memory, or the network may be slow. Check top on the server, and compare with ping.',
	},
	{
		id: 'partlyOnCpu',
		severity: 'warning',
		observe: ({ models }) => {
			const partly = models.filter(({ gpuShare = 1 }) => gpuShare < 0.99);
			const shares = partly.map(({ id, gpuShare }) => `${Math.round(gpuShare! * 100)} % of ${id}`);
			return shares.length > 0 && `/api/ps reports ${shares.join(', ')}`;
		},
		detail:
			'A model is only partly in GPU memory: the rest runs on the CPU, which slows everything down',
		suggestion:
			'Use a smaller quantization or model, or a shorter context (OLLAMA_CONTEXT_LENGTH). If the share is 0 %, Ollama found no usable GPU: check the start of its log (ollama serve), and give the container access to the GPU (--gpus all, or /dev/kfd and /dev/dri for AMD).',
	},
	{
		id: 'modelRunsRemotely',
		severity: 'warning',
		observe: ({ checkedModel }) =>
			checkedModel?.remoteHost && `/api/tags reports remote_host ${checkedModel.remoteHost}`,
		detail: ({ checkedModel }) =>
			`The model "${checkedModel!.id}" runs on ${checkedModel!.remoteHost}: your data leaves your network`,
		suggestion:
			'If texts must stay in your network, choose a model whose files are on this server, without ":cloud" or "-cloud" in its tag.',
	},
	{
		id: 'serverSleeping',
		severity: 'info',
		observe: ({ server }) => server.sleeping === true && '/props reports is_sleeping',
		detail: 'The server is sleeping: it has unloaded its model and reloads it on the next request',
		suggestion:
			'The first response takes as long as loading. If that is too long, raise --sleep-idle-seconds, or remove it.',
	},
	{
		id: 'unrecognizedServer',
		severity: 'info',
		observe: ({ isUnlisted, modelListProbe }) => isUnlisted && describeProbe(modelListProbe),
		detail: ({ tasks }) =>
			`The server has no model list, but it has endpoints for ${joinNames(tasks)}`,
		suggestion:
			'If requests work, nothing is wrong: enter the model name. Otherwise check the Base URL and the port.',
	},
];

/** The findings of a model server, most important first. */
export function getFindings(facts: CheckFacts): FindingWithStatus[] {
	const { failedProbe } = facts;
	if (failedProbe === undefined) return evaluateRules(FINDINGS, facts);
	const [cause] = evaluateRules(BLOCKING_FINDINGS, facts);
	const suggestion =
		failedProbe.error.type === 'modelLoading' ? LOADING_SUGGESTION : failedProbe.error.suggestion;
	return [
		cause ?? findingFromError(failedProbe.error, describeProbe(failedProbe.probe), { suggestion }),
	];
}

/** Embedding and reranker models have short contexts by nature, and do not call tools. */
function isForChats({ models, checkedModel }: CheckFacts) {
	return checkedModel?.embeddings !== true && models.some(({ embeddings }) => embeddings !== true);
}

/** How to get this many tokens, within the context that the model was trained for. */
function suggestContext(
	{ checkedModel, server: { slots }, serverType }: CheckFacts,
	tokens: number,
) {
	const trained = checkedModel?.trainedContext ?? Infinity;
	const context = checkedModel?.context ?? 0;
	const limitText = `The model was trained for ${trained} tokens, so no setting gives it more: choose a model with a larger context.`;
	if (context >= trained) return limitText;
	if (trained >= tokens) return serverType.texts.context(tokens, slots);
	return `${serverType.texts.context(trained, slots)} ${limitText}`;
}
