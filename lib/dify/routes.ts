import { pathSegment } from '../http/path-segment';
import { type JsonRecord, optional, recordOf } from '../values';
import type { Method, Query } from './client';
import { collectPages, listIn, readPage, type Limit, type Page } from './paging';

/** Everything that goes into a path, a query or a body of a plain route, under Dify's own name. */
export interface RouteValues {
	// IDs
	dataset_id: string;
	document_id: string;
	document_ids: readonly string[];
	segment_id: string;
	batch: string;
	annotation_id: string;
	conversation_id: string;
	message_id: string;
	user: string;

	// Parts of a path
	action: string;
	model_type: 'text-embedding' | 'rerank' | 'llm' | 'tts' | 'speech2text' | 'moderation';

	// Lists
	keyword?: string;
	status?: string;

	// Documents and chunks
	name?: string;
	text?: string;
	content: string;
	metadata: 'all' | 'only' | 'without';
	doc_form?: string;
	doc_language?: string;
	process_rule?: JsonRecord;
	segment: JsonRecord;
	segments: readonly JsonRecord[];
	type: string;
	operation_data: readonly JsonRecord[];

	// Knowledge bases
	description?: string;
	permission?: string;
	indexing_technique?: string;
	embedding_model?: string;
	embedding_model_provider?: string;
	query: string;
	retrieval_model?: JsonRecord;

	// Pipelines
	inputs: JsonRecord;
	datasource_type: 'local_file';
	datasource_info_list: readonly JsonRecord[];
	start_node_id: string;
	is_published: boolean;
	response_mode: 'streaming';

	// Apps
	question: string;
	answer: string;
}

type ValueName = keyof RouteValues;

/** Dify's largest page of most lists. */
const PAGE_SIZE = 100;

/** A plain route: a row of a table that says all about a request but its values. */
export interface Route {
	readonly method: Method;
	/** Below the Base URL. `{name}` stands for a value. */
	readonly path: string;
	/** Values in the query. Those that are undefined or empty are left out. */
	readonly query?: readonly ValueName[];
	/** Part of every query. */
	readonly fixedQuery?: Query;
	/** Values in the JSON body. Undefined ones are left out. */
	readonly body?: readonly ValueName[];
	readonly returns: Returns;
	/** Records on Dify's largest page, where `returns` is `pages`. Default: 100. */
	readonly pageSize?: number;
	/** Checks of values that Dify would accept or refuse without a reason. */
	readonly checks?: { readonly [Name in ValueName]?: (value: RouteValues[Name]) => void };
	/** A request other than GET that may be repeated: twice does the same as once. */
	readonly idempotent?: true;
	/** Milliseconds for the whole request. Default: that of the client. */
	readonly timeoutMs?: number;
	/** The knowledge base is another one afterwards, so what is known of it is read again. */
	readonly changesBase?: true;
}

/**
 * What comes back. `record`: an object. `data`: an object, below `data`. `list`: a list. `records`: a list, below `data`.
 * `pages`: such a list, page by page. `existed`: nothing, or 404 where there was nothing to delete. `nothing`: nothing of
 * interest.
 */
type Returns = 'record' | 'data' | 'list' | 'records' | 'pages' | 'existed' | 'nothing';

interface Results {
	record: JsonRecord;
	data: JsonRecord;
	list: JsonRecord[];
	records: JsonRecord[];
	existed: boolean;
	nothing: undefined;
}

/** A route with one request. */
export type SingleRoute = Route & { readonly returns: keyof Results };
/** A route whose answer is an object. */
export type ObjectRoute = Route & { readonly returns: 'record' | 'data' | 'records' | 'nothing' };
/** A list with page numbers. */
export type PagedRoute = Route & { readonly returns: 'pages' };

export type ResultOf<R extends SingleRoute> = Results[R['returns']];

type NamesInPath<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
	? Name | NamesInPath<Rest>
	: never;

type NamesInList<List> = List extends ReadonlyArray<infer Name> ? Name : never;

type NamesOf<R extends Route> =
	| NamesInPath<R['path']>
	| NamesInList<R['query']>
	| NamesInList<R['body']>;

/** The values that a route takes. */
export type ValuesOf<R extends Route> = Pick<RouteValues, NamesOf<R> & ValueName>;

type KnownNames<Table extends Record<string, Route>> = {
	[Name in keyof Table]: NamesInPath<Table[Name]['path']> extends ValueName ? Route : never;
};

/** A table of routes. A name in braces that is none of `RouteValues` is a type error. */
export function routeTable<const Table extends Record<string, Route>>(
	table: Table & KnownNames<Table>,
): Table {
	return table;
}

export interface RouteRequest {
	path: string;
	query: Query;
	/** Undefined where the route has none. */
	body?: JsonRecord;
	/** The knowledge base in the path. */
	baseId?: string;
}

/** Puts the values where the route wants them. @throws {ServerError} where a check of the route refuses a value */
export function requestOf<R extends Route>(route: R, values: ValuesOf<R>): RouteRequest {
	const known: JsonRecord = { ...values };
	for (const [name, check] of Object.entries(route.checks ?? {}))
		(check as (value: unknown) => void)(known[name]);
	const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
		pathSegment(String(known[name])),
	);
	const query = { ...route.fixedQuery, ...picked(known, route.query ?? []) } as Query;
	const body = route.body === undefined ? undefined : picked(known, route.body);
	const baseId = route.path.includes('{dataset_id}') ? String(known.dataset_id) : undefined;
	return { path, query, ...optional({ body, baseId }) };
}

function picked(values: JsonRecord, names: readonly string[]): JsonRecord {
	const named = names.map((name) => [name, values[name]] as const);
	return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/** The object of an answer, or the part of it that the route returns. */
export function resultIn<R extends ObjectRoute>(route: R, answer: JsonRecord): ResultOf<R> {
	const results: { [Name in ObjectRoute['returns']]: () => Results[Name] } = {
		record: () => answer,
		data: () => recordOf(answer.data),
		records: () => listIn(answer.data),
		nothing: () => undefined,
	};
	return results[route.returns]() as ResultOf<R>;
}

/** Calls the routes of one key. */
export abstract class RouteCaller<Row extends SingleRoute = SingleRoute> {
	/** Sends one request. @throws {ServerError} */
	abstract call<R extends Row>(route: R, values: ValuesOf<R>): Promise<ResultOf<R>>;

	/** Sends a GET and reads an object. @throws {ServerError} */
	protected abstract readObject(path: string, query: Query): Promise<JsonRecord>;

	/** Reads a list to its end or limit. @throws {ServerError} */
	async list<R extends PagedRoute>(
		route: R,
		values: ValuesOf<R>,
		most: Limit,
	): Promise<JsonRecord[]> {
		const { path, query } = requestOf(route, values);
		return await collectPages(
			most,
			pageSizeOf(route),
			async (paging) => await this.readObject(path, { ...query, ...paging }),
		);
	}

	/** One page of a list. @param page counted from 1 @throws {ServerError} */
	async page<R extends PagedRoute>(route: R, values: ValuesOf<R>, page: number): Promise<Page> {
		const { path, query } = requestOf(route, values);
		const limit = pageSizeOf(route);
		return readPage(await this.readObject(path, { ...query, page, limit }), page, limit);
	}
}

function pageSizeOf({ pageSize = PAGE_SIZE }: PagedRoute): number {
	return pageSize;
}
