import { rejectOnAbort } from '../http/abort';
import { keepWithin } from '../kept';
import { TTL_MS } from '../lru-cache';
import type { ServerAddress } from '../http/types';
import { asRecord } from '../values/records';
import { toOllamaAddress } from './base-url';
import { matchesModel } from './model-names';
import type { ServerModel } from './server-model';
import { parseModels } from './parse-models';
import { tryProbe } from './probe';
import { SERVER_TYPES, identifyByResponse, identifyServerType, isContradicted } from './types';
import type { ResponseOrigin } from './types';
import { other } from './types/other';
import type {
	IdentityResponses,
	ModelServer,
	ProbeResponse,
	ServerProps,
	ServerType,
} from './types/server-type';
import type { ServerTypeName } from '../server-type-name';
import { CHAT_ROUTE } from './server-urls';
import type { BodyChange, KnownRoutes } from './lessons';
import type { RunningSearch } from './running-searches';
import {
	MAX_MODELS,
	KnownFacts,
	SuccessionFacts,
	factsByServer,
	nativeApis,
	unversionedApis,
} from './known-facts';
import { IDENTIFICATION_TIMEOUT_MS, fetchIdentity } from './fetch-identity';

/** After a failed identification, which may succeed soon. */
const FAILED_TTL_MS = 5_000;

/** Where the API of a server may be, for the caller's own requests. */
export interface ApiRoot<A> {
	/** The response to the last request for a model list. */
	list: A;
	/** The URL of the API, without a version if it may be there. */
	apiUrl: string;
}

/** The known facts about a server. */
export function getProfile(server: ModelServer): ServerProfile {
	return new ServerProfile(
		server,
		factsByServer.use(server.id, () => new KnownFacts()),
	);
}

/**
 * The facts about a server, known for ten minutes: its type, its properties, its API root, and forms that it accepts. All
 * servers with the same address and credential share them; missing ones are requested with the given server. What words
 * taught is that of the execution.
 */
class ServerProfile {
	constructor(
		private readonly server: ModelServer,
		private readonly facts: KnownFacts,
	) {}

	/** The address of a server: of Ollama, if its responses showed that its native API was typed. */
	getAddress(typedUrl: ServerAddress): ServerAddress {
		const isNative = nativeApis.get(this.server.id) === true;
		return (isNative ? toOllamaAddress(typedUrl) : undefined) ?? typedUrl;
	}

	/** The URL of the API, without a version if `probeApiRoot` found its list there. */
	getApiUrl(): string {
		const { root, api } = this.server.url;
		return unversionedApis.get(this.server.id) === true ? root : api;
	}

	/**
	 * If the API has no model list, probes for one without the version in the path, and without any list for the chat
	 * route. All requests use an API that was found by its list from then on: any other response may be that of a gateway
	 * that restarts.
	 */
	async probeApiRoot<A extends Pick<ProbeResponse, 'status' | 'json'>>(
		list: A,
		probeUrl: (url: string) => Promise<A | undefined>,
	): Promise<ApiRoot<A>> {
		const { root } = this.server.url;
		const apiUrl = this.getApiUrl();
		const ollama = toOllamaAddress(this.server.url);
		if (ollama && list.status === 404 && isTagList(await probeUrl(`${ollama.root}/api/tags`))) {
			const ollamaList = await probeUrl(`${ollama.api}/models`);
			nativeApis.set(this.server.id, true);
			if (ollamaList !== undefined) return { list: ollamaList, apiUrl: ollama.api };
		}
		if (apiUrl === root && !hasModels(list)) this.forgetApiRoot();
		if (list.status !== 404 || apiUrl === root) return { list, apiUrl };
		const unversionedList = await probeUrl(`${root}/models`);
		if (unversionedList !== undefined && hasModels(unversionedList)) {
			unversionedApis.set(this.server.id, true);
			return { list: unversionedList, apiUrl: root };
		}
		// A rejected key is what a wrong key gets from an API without a version.
		if (unversionedList !== undefined && [401, 403].includes(unversionedList.status))
			return { list: unversionedList, apiUrl: root };
		// FastAPI and others respond with 405 to GET on a POST route: nothing is generated.
		const hasChatRoute = async (apiRoot: string) =>
			(await probeUrl(apiRoot + CHAT_ROUTE))?.status === 405;
		const isUnversioned = !(await hasChatRoute(apiUrl)) && (await hasChatRoute(root));
		return { list, apiUrl: isUnversioned ? root : apiUrl };
	}

	/** The API is at the Base URL again: the first failure without the version shows that it may have been elsewhere. */
	forgetApiRoot(): void {
		unversionedApis.delete(this.server.id);
	}

	/** The server type, without a request; undefined if unknown. */
	getCachedType(): ServerType | undefined {
		const { configuredType } = this.server;
		if (configuredType !== undefined) return SERVER_TYPES[configuredType];
		return this.isTypeCached() ? this.facts.serverType : undefined;
	}

	/** The name of the server type, if it was recognized. */
	getRecognizedName(): ServerTypeName | undefined {
		const serverType = this.getCachedType();
		return serverType === other ? undefined : serverType?.name;
	}

	/**
	 * Whether the Base URL leads to the API of a model server: it lists models there. A server also shows its type below other paths,
	 * and a type that was selected shows nothing.
	 */
	async fetchIsAddressRight(signal?: AbortSignal): Promise<boolean> {
		const { server, facts } = this;
		await this.fetchType(signal);
		if (facts.hasModelList || server.configuredType === undefined) return facts.hasModelList;
		const list = await tryProbe(server, `${this.getApiUrl()}/models`, { signal });
		return list !== undefined && list.status < 300 && parseModels(list.json) !== undefined;
	}

	/** The only model of a server that ignores model names; undefined if unknown. */
	getOnlyModel(): ServerModel | undefined {
		const { serverType, models } = this.facts;
		const isOnly = serverType.ignoresModelName === true && models.length === 1;
		return isOnly && this.isTypeCached() ? models[0] : undefined;
	}

	/** A model in the list by which the server was identified; without a request. */
	findKnownModel(model: string): ServerModel | undefined {
		if (!this.isTypeCached()) return undefined;
		return this.getOnlyModel() ?? this.facts.models.find((one) => matchesModel(one, model));
	}

	/** Whether the list of models by which the server was identified has a model; without a request. */
	isInKnownList(model: string): boolean {
		return this.isTypeCached() && this.facts.models.some(({ id }) => id === model);
	}

	private isTypeCached() {
		return this.facts.typeExpiresAt > performance.now();
	}

	/**
	 * The server type; requests it if it is unknown. Concurrent callers share the identification, so it does not end with the
	 * signal of one of them.
	 *
	 * @returns the last known type if it cannot be identified now, or the signal is aborted; at first `other`
	 */
	async fetchType(signal?: AbortSignal): Promise<ServerType> {
		const cached = this.getCachedType();
		if (cached !== undefined) return cached;
		const { facts } = this;
		facts.identification ??= this.startIdentification().finally(() => {
			facts.identification = undefined;
		});
		const { identification } = facts;
		if (signal === undefined) return await identification;
		return await rejectOnAbort(signal, async () => await identification).catch((error: unknown) => {
			if (signal.aborted) return facts.serverType;
			throw error;
		});
	}

	private async startIdentification() {
		const { facts } = this;
		const responses = await this.fetchIdentity();
		if (responses?.models === undefined || !hasModels(responses.models)) this.forgetApiRoot();
		if (responses !== undefined) return this.storeType(responses);
		facts.typeExpiresAt = performance.now() + FAILED_TTL_MS;
		return facts.serverType;
	}

	private async fetchIdentity() {
		const { server } = this;
		const options = { timeoutMs: IDENTIFICATION_TIMEOUT_MS };
		const probeUrl = async (url: string) => await tryProbe(server, url, options);
		const list = await probeUrl(`${this.getApiUrl()}/models`);
		const isNative = list?.status === 404 && toOllamaAddress(server.url) !== undefined;
		const models = isNative ? (await this.probeApiRoot(list, probeUrl)).list : list;
		return await fetchIdentity(server, models);
	}

	private storeType(responses: IdentityResponses) {
		const { facts } = this;
		const serverType = SERVER_TYPES[identifyServerType(responses)];
		if (facts.serverType !== other && facts.serverType !== serverType) {
			facts.succession = new SuccessionFacts();
		}
		facts.serverType = serverType;
		facts.typeExpiresAt = performance.now() + TTL_MS;
		const models = parseModels(responses.models?.json);
		facts.hasModelList = models !== undefined;
		facts.models = (models ?? []).slice(0, MAX_MODELS);
		return facts.serverType;
	}

	/**
	 * Forgets the type if a response shows another one: a server was replaced at its address. Once, if the identification
	 * finds the same type again, as behind a proxy.
	 */
	forgetContradictedType(origin: ResponseOrigin): void {
		const shown = identifyByResponse(origin);
		const known = this.server.configuredType === undefined ? this.getCachedType() : undefined;
		if (shown === undefined || known === undefined || !isContradicted({ known: known.name, shown }))
			return;
		const { contradictions } = this.facts;
		const key = `${known.name} ${shown}`;
		if (contradictions.get(key) === true) return;
		contradictions.set(key, true);
		this.forget();
	}

	/** Identifies the type by a model list that was fetched anyway. */
	learnType(models: ProbeResponse): ServerType {
		if (SERVER_TYPES[identifyServerType({ models })] !== other) this.storeType({ models });
		return this.getCachedType() ?? other;
	}

	/**
	 * The properties that the server reports for a model; requests them if they are unknown.
	 *
	 * @returns undefined if the server reports none, or does not respond
	 */
	async fetchProps(model = '', signal?: AbortSignal): Promise<ServerProps | undefined> {
		const { props } = this.facts.succession;
		const cached = props.get(model);
		if (cached !== undefined) return cached;
		const { fetchProps } = await this.fetchType(signal);
		const fetched = await fetchProps?.(this.server, model, { signal });
		if (fetched !== undefined) props.set(model, fetched);
		return fetched;
	}

	/**
	 * The tokens in the chat template of a model; requests the template if it was not requested before. Until another type of
	 * server is recognized, they stay the same, whatever it responds later: the beginning of a prompt depends on them.
	 *
	 * @param props what `fetchProps` returned for the model
	 */
	async fetchTemplateTokens(
		model: string,
		props: ServerProps | undefined,
		signal?: AbortSignal,
	): Promise<readonly string[]> {
		const { templateTokens } = this.facts.succession;
		const known = templateTokens.get(model);
		if (known !== undefined) return known;
		const { showsTemplate } = await this.fetchType(signal);
		const source = showsTemplate ? await this.fetchModelFacts(model, signal) : props;
		const tokens = source?.templateTokens ?? [];
		templateTokens.set(model, tokens);
		return tokens;
	}

	/** Concurrent generations that the server supports with a model, if it reported that. */
	getCachedSlots(model = ''): number | undefined {
		return this.facts.succession.props.get(model)?.slots;
	}

	/** Tokens of context that one request can use, if the server reported them. */
	getCachedContext(model: string): number | undefined {
		const { succession, serverType, models } = this.facts;
		// llama-server lists the context of all slots together.
		const canUseList = this.isTypeCached() && serverType.fetchProps === undefined;
		const listedModel = canUseList ? models.find(({ id }) => id === model) : undefined;
		return succession.props.get(model)?.context ?? listedModel?.context;
	}

	/**
	 * The facts that the server reports about one model; requests them if they are unknown. Items of a node ask for the same.
	 *
	 * @returns undefined if the server reports none, or does not respond
	 */
	async fetchModelFacts(model: string, signal?: AbortSignal): Promise<ServerModel | undefined> {
		const { modelFacts } = this.facts.succession;
		const cached = modelFacts.get(model);
		if (cached !== undefined) return cached;
		const { fetchModel } = await this.fetchType(signal);
		const fetched = await fetchModel?.(this.server, model, { signal });
		if (fetched !== undefined) modelFacts.set(model, fetched);
		return fetched;
	}

	/** Tokens of context that a model was trained for, as the server responds; Infinity if it does not tell. */
	async fetchTrainedContext(model: string, signal?: AbortSignal): Promise<number> {
		const facts = this.getOnlyModel() ?? (await this.fetchModelFacts(model, signal));
		return facts?.trainedContext ?? Infinity;
	}

	/** @param key - Learning scope and model of an exchange, as of the following. */
	getKnownRoutes(key: string): KnownRoutes {
		return this.facts.succession.routes.get(key) ?? { missingUrls: [] };
	}

	storeKnownRoutes(key: string, routes: KnownRoutes): void {
		this.facts.succession.routes.set(key, routes);
	}

	/** Changes of the history that the server required without any word about it. */
	getHistoryForms(key: string): readonly BodyChange[] {
		return this.facts.succession.historyForms.get(key) ?? [];
	}

	storeHistoryForms(key: string, forms: readonly BodyChange[]): void {
		this.facts.succession.historyForms.set(key, forms);
	}

	/** Changes that the server required in this execution. */
	getLessons(key: string): readonly BodyChange[] {
		return this.server.memory.lessons.get(this.toMemoryKey(key)) ?? [];
	}

	storeLessons(key: string, lessons: readonly BodyChange[]): void {
		this.server.memory.lessons.set(this.toMemoryKey(key), lessons);
	}

	/** The failure that the repetition of a request did not change, in this execution. */
	getLastingFailure(key: string): string | undefined {
		return this.server.memory.lastingFailures.get(this.toMemoryKey(key));
	}

	/** @param failure - Undefined: the server has responded */
	storeLastingFailure(key: string, failure: string | undefined): void {
		const { lastingFailures } = this.server.memory;
		const memoryKey = this.toMemoryKey(key);
		if (failure === undefined) lastingFailures.delete(memoryKey);
		else lastingFailures.set(memoryKey, failure);
	}

	/**
	 * The search of this execution that runs for a refusal; undefined if there is none.
	 *
	 * @param refusal - What refusals that are alike have in common.
	 */
	findSearch(key: string, refusal: string): RunningSearch | undefined {
		return this.server.memory.searches.find(this.toSearchKey(key, refusal));
	}

	/** Begins the search for a refusal: until it ends, others find it. */
	beginSearch(key: string, refusal: string): RunningSearch {
		return this.server.memory.searches.begin(this.toSearchKey(key, refusal));
	}

	private toSearchKey(key: string, refusal: string) {
		return JSON.stringify([this.toMemoryKey(key), refusal]);
	}

	/** An execution may use several servers, and another type of server at the same address is another one. */
	private toMemoryKey(key: string) {
		return JSON.stringify([this.facts.succession.id, key]);
	}

	/**
	 * Stores the context size that is requested for a model.
	 *
	 * @returns the size of the last request.
	 */
	replaceContextSize(model: string, size: number): number | undefined {
		const { contextSizes } = this.facts.succession;
		const previousSize = contextSizes.get(model);
		contextSizes.set(model, size);
		return previousSize;
	}

	/**
	 * Whether the last response started inside the thinking.
	 *
	 * @param key - The model and its thinking setting.
	 */
	startsInReasoning(key: string): boolean {
		return this.facts.succession.reasoningStarts.get(key) === true;
	}

	storeReasoningStart(key: string, starts: boolean): void {
		this.facts.succession.reasoningStarts.set(key, starts);
	}

	/** The next request identifies the server again. Properties that are being fetched are not stored. */
	forget(): void {
		this.facts.typeExpiresAt = 0;
		this.facts.succession.props = keepWithin('props');
		this.facts.succession.modelFacts = keepWithin('modelFacts');
	}
}

/** Ollama's own list, also without models. Gateways have no such route. */
function isTagList(response: Pick<ProbeResponse, 'status' | 'json'> | undefined) {
	return response?.status === 200 && 'models' in asRecord(response.json);
}

/** Whether a response is a list with a model, and not that of a redirect or an error. */
function hasModels({ status, json }: Pick<ProbeResponse, 'status' | 'json'>) {
	return status < 300 && (parseModels(json)?.length ?? 0) > 0;
}
