import type { ServerWords } from '../../servers/kinds/kind';
import { missingModelAdvice } from '../../servers/model-names';
import { kindOfServer } from '../answers';
import type { HealthServerKind, HealthStatus, Severity } from '../observations';
import { type RemedyFacts, remedyFor } from '../../errors/remedies';
import { OLDEST_N8N } from '../../supported-n8n';

/** Facts for the texts of a finding. */
export interface AdviceFacts extends Pick<RemedyFacts, 'url' | 'host' | 'port' | 'model'> {
	/** What the server has instead. */
	others?: readonly string[];
	server?: HealthServerKind;
	exitCode?: number;
	args?: string;
	context?: number;
	/** What is needed, in the unit of what is there. */
	required?: number;
	slots?: number;
	count?: number;
	ms?: number;
	ago?: string;
	percent?: number;
	what?: string;
	/** Tokens per second. */
	speed?: number;
	/** Whether the server's own timings tell what the answer does not. */
	byServer?: boolean;
	/** Of a Dify credential. */
	keyType?: 'app' | 'knowledge';
}

const STUCK_ADVICE =
	'It may be reading a very long prompt: check again in a minute. If that does not change, the GPU hangs: look for ROCm, HIP or CUDA errors in the log of the server, look at rocm-smi or nvidia-smi, and restart the server. If it is far away, or asks other servers first, raise the time limit.';

const GPU_ADVICE =
	'Look for "offloaded N/N layers to GPU" at the start of the log of llama-server. If it is missing: start it with --n-gpu-layers all, use a build for your GPU (HIP or ROCm for AMD, CUDA for NVIDIA), give the container the GPU (--device /dev/kfd --device /dev/dri, or --gpus all), and check HIP_VISIBLE_DEVICES. On an MI50 (gfx906) use ROCm 6.3, not 6.4 or newer.';

type Sentences = (facts: AdviceFacts) => { meaning: string; advice: string };

/** Severity of a finding, the status that it gives the server, and its texts. */
interface Row {
	severity: Severity;
	status?: HealthStatus;
	says: Sentences;
}

/** Texts of a finding: made from the facts, or fixed. */
type Texts = [says: Sentences] | [meaning: string, advice: string];

function row(
	severity: Severity,
	status: HealthStatus | undefined,
	[first, advice = '']: Texts,
): Row {
	return {
		severity,
		status,
		says: typeof first === 'string' ? () => ({ meaning: first, advice }) : first,
	};
}

const error = (status: HealthStatus | undefined, ...texts: Texts) => row('error', status, texts);
const warning = (...texts: Texts) => row('warning', undefined, texts);
const info = (...texts: Texts) => row('info', undefined, texts);

/**
 * Findings that only a check can make. Failures that other nodes meet as well are in the tables of
 * `lib/errors/remedies`.
 */
export const ADVICE = {
	serverExited: error('unreachable', ({ ago = 'a while ago', host }) => ({
		meaning: `The server answered ${ago} and has exited since`,
		advice: `Start it again on ${named(host)} and read the end of its log. ${remedyFor('modelFailedToLoad').remedy} Have it restarted automatically: systemd with Restart=always, Docker with --restart unless-stopped.`,
	})),
	exitedWhileLoading: error('unreachable', ({ ago = 'a moment ago' }) => ({
		meaning: `The server was loading its model ${ago}, and has exited since`,
		advice: remedyFor('modelFailedToLoad').remedy,
	})),
	noAnswer: error('unreachable', ({ port = '8080' }) => ({
		meaning: 'The address accepts the connection, but nothing comes back',
		advice: `The server process may be frozen (out of memory and swapping, a hung GPU driver), a port forward (Docker, ssh -L) may lead to nothing, or a firewall drops the packets (ufw allow ${port}/tcp). Try the same address with curl from the machine that runs n8n, and look at the server with top.`,
	})),
	endlessAnswer: error(
		'unreachable',
		'Something answers, but its answer does not end',
		'Check the Base URL and the port: a web cam, a log or a download may be what answers there. If it is the right server, it or the network is very slow: raise Time Limit of a Check.',
	),
	moved: error('misconfigured', ({ url, what = '' }) => ({
		meaning: `The server redirects every request to another address${what}`,
		advice: `Type ${url} as Base URL.`,
	})),
	stuck: error(
		'degraded',
		'The web part of the server answers, but the part that runs the model does not',
		STUCK_ADVICE,
	),
	runsElsewhere: info(({ model, host }) => ({
		meaning: `The model ${named(model)} runs on ${host}: what is sent to it leaves your network`,
		advice:
			'Choose a model whose files are on this server, without ":cloud" or "-cloud" in its tag, if texts must stay here.',
	})),
	unwell: error(
		'degraded',
		'The server lists its models, but reports that it is not healthy',
		'Its engine may have died: read its log and restart it.',
	),
	thisIsDify: error('misconfigured', ({ url = '' }) => ({
		meaning: 'Dify answers here, not a model server',
		advice: `Choose Dify in this node, with a "Dify API" credential whose Base URL is ${url}/v1. A model behind Dify is reached at the address of its own server.`,
	})),
	notDify: error(
		'misconfigured',
		'Something answers here, but not as Dify does',
		"Check the Base URL and the port of the credential: it is the address of Dify's API, for example http://dify.example.com/v1.",
	),
	difyNotChecked: info(
		'Dify itself and its database answer; whether its worker, its plugin daemon, Redis and the model server behind it work was not checked',
		'Only a run shows that. If runs fail or stay queued while this check is fine, look at docker compose ps and at the logs of worker and plugin_daemon.',
	),
	difyModelsAnswer: info(({ others = [] }) => ({
		meaning: `Dify reaches the models of its knowledge bases: ${others.join(', ')}`,
		advice:
			'The models of apps may be on other servers, and indexing also needs the worker: only a run, or a new document, shows those.',
	})),
	difyModelsUnknown: info(
		'With the key of an app nobody can see from outside whether Dify reaches its model server: Dify asks the model only in a run',
		'Use a credential with a key of the type Knowledge, which lets Dify ask its embedding model, or send a message with Dify Chat Message.',
	),
	difyNothingToSearch: info(
		'Whether Dify reaches its embedding model cannot be seen: no knowledge base has vectors to search',
		'Create a knowledge base with High Quality, and a document in it. Until then, only a run shows whether Dify reaches its model server.',
	),
	difyModelSlow: error(
		'degraded',
		'Dify answers, but a search that asks its embedding model did not end in time',
		'Its model server may be away, or still loading the model: look at it, and at docker compose logs plugin_daemon. If it is just slow, raise Time Limit of a Check.',
	),
	difySlow: error(
		'degraded',
		'Dify did not answer a simple question in time',
		'Its API or its database may be overloaded or hung: look at docker compose ps and docker compose logs api. If Dify is just far away, raise Time Limit of a Check.',
	),
	thisIsAModelServer: error(
		'misconfigured',
		'llama-server answers here, not Dify',
		'Choose Model Server in this node with a "LocalLlama API" credential, or correct the Base URL of the "Dify API" credential.',
	),
	difyWrongKeyType: error('unauthorized', ({ keyType }) => {
		const [has, wants, place] =
			keyType === 'knowledge'
				? ['the key of an app', 'the key of a knowledge base', 'from Knowledge, API Access']
				: [
						'the key of a knowledge base',
						'the key of an app',
						'from the page API Access of the app',
					];
		return {
			meaning: `This is ${has}, but ${wants} is needed`,
			advice: `Take ${wants} ${place}, or change Key Type in the credential.`,
		};
	}),
	ollamaWithoutV1: error('misconfigured', ({ url = '' }) => ({
		meaning: 'This is Ollama, but it has no OpenAI-compatible routes at this path',
		advice: `Type ${url} as Base URL; /v1 is added by itself. If that is what you typed, this Ollama is too old: update it.`,
	})),
	keyNotChecked: info(
		'No route that was asked wants a key, so the key was not checked',
		'The first generation will show whether the key is right. The operation "Speed Test" makes one.',
	),
	restartLoop: error(
		undefined,
		'The server starts, loads, and exits, again and again',
		`Something restarts a server that cannot load its model. ${remedyFor('modelFailedToLoad').remedy}`,
	),
	noModels: error('misconfigured', ({ server }) => ({
		meaning: 'The server has no models',
		advice: adviceOf(server).noModels,
	})),
	modelMissing: error('misconfigured', ({ model = '', others = [], server }) => ({
		meaning: `The server does not offer the model ${named(model)}`,
		advice:
			missingModelAdvice(others, adviceOf(server).missingModel?.(model)) ||
			adviceOf(server).noModels,
	})),
	otherModel: error('misconfigured', ({ model = '', others = [], server = 'unknown' }) => {
		const { label, health } = kindOfServer(server);
		const alias = health.reports === 'server' ? `, or start the server with --alias ${model}` : '';
		return {
			meaning: `${label} answers with ${named(others[0])} whatever name is asked for, so ${named(model)} means nothing to it`,
			advice: `Choose ${named(others[0])} in the nodes${alias}.`,
		};
	}),
	modelFailed: error('misconfigured', ({ model, exitCode, args }) => ({
		meaning: `The router could not load the model ${named(model)}${exitCode === undefined ? '' : `: its process ended with exit code ${exitCode}`}`,
		advice: `${remedyFor('modelFailedToLoad').remedy}${args ? ` It was started with: ${args}` : ''}`,
	})),
	modelLoading: error('loading', ({ model }) => ({
		meaning: `The model ${named(model)} is being loaded`,
		advice: 'Wait for it with the operation "Wait Until Ready".',
	})),
	modelNotLoaded: info(({ model, server = 'unknown' }) => {
		const canLoad = kindOfServer(server).models.load !== undefined;
		return {
			meaning: `The model ${named(model)} is not loaded`,
			advice: `The first request loads it, which takes a while.${
				canLoad ? ' To have it ready before, use the node Local Llama: Model, Load.' : ''
			}`,
		};
	}),
	modelNotLoadedForGood: error('misconfigured', ({ model }) => ({
		meaning: `The model ${named(model)} is not loaded, and this router does not load models by itself`,
		advice:
			'Load it with the node Local Llama (Model, Load), or start the router without --no-models-autoload.',
	})),
	sleeping: info(
		'The server is asleep: it has unloaded its model and loads it again for the next request',
		'The first answer will take as long as loading does. Raise --sleep-idle-seconds, or leave it out, if that is too long.',
	),
	contextTooSmall: error('misconfigured', ({ context, required = 0, slots, server }) => ({
		meaning: `One request can use ${context} tokens of context, but ${required} are needed`,
		advice: adviceOf(server).moreContext(required, slots),
	})),
	contextSmall: warning(({ context, slots, server }) => ({
		meaning: `One request can use ${context} tokens of context, which is little for agents: tools and memory alone often take 4,000`,
		advice: adviceOf(server).moreContext(16384, slots),
	})),
	moreRequestsThanSlots: warning(({ slots, required }) => ({
		meaning: `The credential lets ${required} requests through at once, but the server has ${slots} slots`,
		advice: `Set Max Concurrent Requests in the credential to ${slots}: then the rest waits in n8n, in order, where it can be stopped.`,
	})),
	queued: warning(({ count, slots }) => ({
		meaning: `${count} ${count === 1 ? 'request waits' : 'requests wait'} for a slot${slots === undefined ? '' : `; the server has ${slots}`}`,
		advice:
			'Answers come later than usual. Use fewer workflows at once, a limit in the credential (Max Concurrent Requests), or more slots (-np).',
	})),
	slow: warning(({ ms }) => ({
		meaning: `The server took ${ms} ms for a simple answer`,
		advice:
			'The machine may be overloaded or short of memory, or the network slow. Look at it with top, and compare with ping.',
	})),
	noTokens: error(
		'degraded',
		'The server answers, but generates nothing: it is busy, still reads a long prompt, or its GPU hangs',
		`Look at the queue with the operation "Check" (llama-server with --metrics). If nobody else uses the server: ${STUCK_ADVICE}`,
	),
	slowGeneration: warning('The server generates very slowly', GPU_ADVICE),
	gpuMaybeUnused: warning(({ speed }) => ({
		meaning: `This is as fast as the memory of a CPU allows. An MI50 would generate ${speed === undefined ? 'more' : `about ${speed} tokens/s`} with this model, so if the server has a GPU, it may not be used (an estimate from the size of the model)`,
		advice: GPU_ADVICE,
	})),
	draftsRejected: warning(({ percent }) => ({
		meaning: `The model accepts only ${percent} % of the tokens that are drafted for it, so drafting may cost more time than it saves`,
		advice:
			'Start llama-server with a smaller --draft-max, with a draft model of the same family, or without one, and compare the speed.',
	})),
	partlyOnCpu: warning(({ model, percent }) => ({
		meaning:
			percent === 0
				? `Ollama runs the model ${named(model)} on the CPU`
				: `Only ${percent} % of the model ${named(model)} is in the memory of the GPU`,
		advice:
			percent === 0
				? 'Ollama found no usable GPU: read the beginning of its log (ollama serve), and give the container the GPU (--gpus all, or /dev/kfd and /dev/dri for AMD).'
				: 'The rest runs on the CPU and slows everything down: use a smaller quantization or model, or a shorter context (OLLAMA_CONTEXT_LENGTH).',
	})),
	fewerAtOnce: warning(({ count, required }) => ({
		meaning: `The credential lets ${count} ${count === 1 ? 'request' : 'requests'} through at once, so the speed of ${required} at once was not measured`,
		advice: `Set Max Concurrent Requests in the credential to ${required} or 0 for the test, or use a second credential for it.`,
	})),
	waitedInN8n: warning(
		'Other workflows used up the limit of the credential, so the test waited in n8n. The wait is not part of the times, but the server was shared with them',
		'Test at a quiet hour. If it is always so, see whether the server has room for a higher Max Concurrent Requests.',
	),
	busyDuringTest: warning(({ count, slots }) => ({
		meaning: `Others used ${count}${slots === undefined ? '' : ` of ${slots}`} slots when the test began: it measured what they left, and slowed them down`,
		advice: 'Test at a quiet hour to see what the server can do.',
	})),
	toolsUnreliable: warning(({ model }) => ({
		meaning: `The model ${named(model)} does not always call tools right, on this server`,
		advice:
			'An agent with it will fail now and then. Use a larger model, or one that is made for tools, and let the server use its own chat template. The result of the tool test says for each case what went wrong.',
	})),
	toolsNotTried: warning(({ model, count, required }) => ({
		meaning: `${count} of ${required} tries of the tool test brought no answer of the model ${named(model)}, so they say nothing about it`,
		advice: 'Fix what is seen here, or raise the time limit of the test, and test again.',
	})),
	answerCollected: warning(({ byServer }) => ({
		meaning: byServer
			? 'Something collects the answer before it hands it on. Speed and first token are those of the server itself (its timings); users see the text later'
			: 'Something collects the answer before it hands it on. So the first token cannot be seen, and where the whole answer came at once the speed counts reading the prompt and waiting as well: the model itself is faster',
		advice:
			'Let the proxy between n8n and the server pass the answer on piece by piece (nginx: proxy_buffering off), or give the address of the server itself. If there is no proxy, the server does not stream.',
	})),
	thinkingHidden: info(({ byServer }) => ({
		meaning: byServer
			? 'The model thinks without showing it. Speed and first token are those of the server itself (its timings); users see the first text later'
			: 'The model thinks without showing it. So the first token cannot be seen, and the speed is that of the whole answer: the model itself is faster',
		advice:
			'Users wait for the first text as long as the model thinks. Turn thinking off where they need no thinking, or let the server or the gateway pass it on.',
	})),
	speedOfWholeAnswer: warning(
		'The speed is that of the whole answer: reading the prompt and waiting are part of it, so the model itself is faster',
		'Generate more tokens in the test.',
	),
	metricsOff: info(
		'The length of the queue cannot be seen, and a hung GPU only with the option "Ask for Slots"',
		'Start llama-server with --metrics.',
	),
	notTold: info(({ what }) => ({
		meaning: `This server does not say whether it can do ${what}`,
		advice: 'Try it once with a real request.',
	})),
	unknownServer: info(
		'Something answers, but it is not a server that this package knows',
		'If chats work, all is well. Otherwise check the Base URL and the port.',
	),
	n8nTooOld: warning(
		'Local Chat Model and the other nodes for agents and chains do not work in this n8n',
		`Update n8n to ${OLDEST_N8N} or newer.`,
	),
	n8nFilesInMemory: info(
		'This n8n keeps files in its memory and in the data of executions, which n8n 3 no longer does',
		'Set N8N_DEFAULT_BINARY_DATA_MODE=filesystem, or in queue mode database or s3, before the upgrade.',
	),
} satisfies Record<string, Row>;

export type AdviceId = keyof typeof ADVICE;

function adviceOf(server: HealthServerKind = 'unknown'): ServerWords {
	return kindOfServer(server).words;
}

function named(name: string | undefined): string {
	return name === undefined || name === '' ? '' : `"${name}"`;
}
