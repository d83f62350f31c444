/** A server with one model answers with it, whatever name is sent (docs/protocols/llama-server.md 4.3). */
import type { Connection } from '../../http/connection';
import { identify } from '../../servers/identify';
import { kindOf } from '../../servers/kinds';
import { isModelNamed, shortModelName } from '../../servers/model-names';
import { readModels, type ServerModel } from '../../servers/models';
import { cachedJson } from '../../servers/optional-json';

/** What was requested and what the answer says, and the server's own list of models. */
interface Names {
	requested: string;
	answered: string | undefined;
	/** The JSON of `/v1/models`; undefined if it is unknown. */
	list: unknown;
}

/**
 * The only model of a server that ignores names, if another one was requested from it and the answer names it.
 * Undefined unless that is certain: gateways and routers have names of their own, and older servers repeat the
 * requested one.
 */
export function otherModelIn({ requested, answered, list }: Names): ServerModel | undefined {
	if (requested === '' || answered === undefined || means(answered, requested)) return undefined;
	const listing = { status: 200, headers: {}, text: '', json: list };
	if (kindOf(identify({ models: listing })).models.ignoresName !== true) return undefined;
	const [model, ...others] = readModels(list) ?? [];
	if (model === undefined || others.length > 0 || !hasName(model, answered)) return undefined;
	return hasName(model, requested) ? undefined : model;
}

/**
 * The note for an answer of another model than the requested one.
 *
 * @param answered the model that the answer names
 */
export async function noteOnOtherModel(
	connection: Connection,
	requested: string,
	answered: string | undefined,
): Promise<string | undefined> {
	if (answered === undefined || means(answered, requested)) return undefined;
	const list = await cachedJson(connection, `${connection.url.api}/models`);
	const model = otherModelIn({ requested, answered, list });
	if (model === undefined) return undefined;
	return `The server does not have the model "${requested}" and answered with "${model.id}", its only one. Choose that in the node, or start the server with the other one.`;
}

function hasName(model: ServerModel, name: string): boolean {
	return isModelNamed(model, name) || [model.id, ...model.aliases].some((id) => means(id, name));
}

/** Whether two names mean one model, written as a path, a file name or a name. */
function means(one: string, other: string): boolean {
	return bareName(one) === bareName(other);
}

function bareName(name: string): string {
	const fileName = name.split(/[/\\]/).at(-1) ?? name;
	return shortModelName(fileName).trim().toLowerCase();
}
