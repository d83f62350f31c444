import type { Connection } from '../../http/connection';
import { kindOf } from '../../servers/kinds';
import { cachedJson } from '../../servers/optional-json';
import { nonEmptyText, optional, recordOf } from '../../values';
import type { ChatRequest } from '../types';

/** What a server tells about the model's chat template. */
export interface ToolTemplate {
	template?: string;
	/** The template ignores tools, so the model is not told about them. */
	dropsTools: boolean;
}

export const TOOLS_DROPPED =
	'The chat template of this model takes no tools, so llama-server left them out without a word, and the model was told of none. Use a model with tool support, or start llama-server with a template that has it (--jinja --chat-template-file).';

/**
 * Asks the server for its template, if tools are offered and it can tell. Cached for ten minutes; loads no model.
 *
 * @param request the request to this server
 */
export async function toolTemplate(
	connection: Connection,
	{ tools = [], model, serverKind }: Pick<ChatRequest, 'tools' | 'model' | 'serverKind'>,
): Promise<ToolTemplate> {
	const { llamaApi, hasOllamaApi } = kindOf(serverKind);
	if (tools.length === 0) return { dropsTools: false };
	const { root } = connection.url;
	if (hasOllamaApi)
		return templateIn(recordOf(await cachedJson(connection, `${root}/api/show`, { model })));
	if (llamaApi === undefined) return { dropsTools: false };
	const query =
		llamaApi === 'router'
			? `?model=${encodeURIComponent(model.toWellFormed())}&autoload=false`
			: '';
	return templateIn(recordOf(await cachedJson(connection, `${root}/props${query}`)));
}

/** @param props the answer of `/props` (docs/protocols/llama-server.md 2.6), or of Ollama's `/api/show` */
export function templateIn(props: Record<string, unknown>): ToolTemplate {
	const template = nonEmptyText(props.chat_template) ?? nonEmptyText(props.template);
	const { supports_tools: takesTools } = recordOf(props.chat_template_caps);
	return { ...optional({ template }), dropsTools: takesTools === false };
}
