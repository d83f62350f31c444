import type { INodeProperties } from 'n8n-workflow';

import { AppApi } from '../../../lib/dify/app/api';
import type {
	ObjectRoute,
	PagedRoute,
	ResultOf,
	Route,
	RouteCaller,
	SingleRoute,
	ValuesOf,
} from '../../../lib/dify/routes';
import type { JsonRecord } from '../../../lib/values';
import type { NodeParameters } from '../parameters';
import { itemsOf } from '../run/operations';
import { limitIn } from './fields';
import type { DifyCall, DifyOperation } from './run';

/** Reads a value from the fields of an item. */
type Reader<T> = (parameters: NodeParameters) => T;

type Result<R extends Route> = R extends SingleRoute ? ResultOf<R> : JsonRecord[];

/** Makes the items of what came back. */
type MakeItems<R extends Route> = (
	result: Result<R>,
	values: ValuesOf<R>,
	parameters: NodeParameters,
) => object | object[];

/** An operation that only sends values of its fields to a route: a row of a table. */
type OperationRow<R extends Route> = {
	option: DifyOperation['option'];
	/** With `pagingFields`, where the route is a list with pages. */
	fields: INodeProperties[];
	route: R;
	/** Where each value of the route comes from. */
	values: { [Name in keyof ValuesOf<R>]-?: Reader<ValuesOf<R>[Name]> };
} & Items<R>;

/** Records become items by themselves. */
type Items<R extends Route> =
	Result<R> extends object ? { items?: MakeItems<R> } : { items: MakeItems<R> };

/** An operation that calls a route of the knowledge bases. */
export function knowledgeOperation<R extends SingleRoute | PagedRoute>(
	row: OperationRow<R>,
): DifyOperation {
	return operationOf(row as AnyRow, ({ api }) => api);
}

/** An operation that calls a route of an app. */
export function appOperation<R extends ObjectRoute | PagedRoute>(
	row: OperationRow<R>,
): DifyOperation {
	return operationOf(row as AnyRow, ({ client }) => new AppApi(client));
}

/** A row whose types were checked above. */
interface AnyRow extends Pick<OperationRow<Route>, 'option' | 'fields'> {
	route: Route;
	values: Record<string, Reader<unknown>>;
	items?: (result: unknown, values: object, parameters: NodeParameters) => object | object[];
}

function operationOf(
	{ option, fields, route, values: readers, items = (result) => result as object }: AnyRow,
	callerOf: (call: DifyCall) => RouteCaller<ObjectRoute>,
): DifyOperation {
	return {
		option,
		fields,
		run: async (call) => {
			const { parameters } = call;
			const entries = Object.entries(readers).map(([name, read]) => [name, read(parameters)]);
			const values = Object.fromEntries(entries) as ValuesOf<Route>;
			const caller = callerOf(call);
			const result = isPaged(route)
				? await caller.list(route, values, limitIn(parameters))
				: await caller.call(route as ObjectRoute, values);
			return itemsOf([items(result, values, parameters)].flat());
		},
	};
}

function isPaged(route: Route): route is PagedRoute {
	return route.returns === 'pages';
}

/** Reads a name or other short text, trimmed. */
export function readName(path: string): Reader<string> {
	return (parameters) => parameters.name(path);
}

/** Reads a text as it is. */
export function readText(path: string): Reader<string> {
	return (parameters) => parameters.freeText(path);
}
