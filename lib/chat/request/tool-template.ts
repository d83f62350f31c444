import type { Connection } from '../../http/connection';
import { kindOf } from '../../servers/kinds';
import { type JsonRecord, nonEmptyText, optional, recordOf } from '../../values';
import type { ChatRequest } from '../types';

/** What a server tells about the model's chat template. */
interface ToolTemplate {
	template?: string;
	/** The template ignores tools, so the model is not told about them. */
	dropsTools: boolean;
}

/**
 * Asks the server for its template, if tools are offered and it can tell. Cached for ten minutes; loads no model.
 *
 * @param request the request to this server
 */
export async function toolTemplate(
	connection: Connection,
	{ tools = [], model, serverKind }: Pick<ChatRequest, 'tools' | 'model' | 'serverKind'>,
): Promise<ToolTemplate> {
	const { template } = kindOf(serverKind).chat;
	if (tools.length === 0 || template === undefined) return { dropsTools: false };
	return templateIn(recordOf(await template(connection, model)));
}

/** @param props the answer of `/props` (docs/protocols/llama-server.md 2.6), or of Ollama's `/api/show` */
export function templateIn(props: JsonRecord): ToolTemplate {
	const template = nonEmptyText(props.chat_template) ?? nonEmptyText(props.template);
	const { supports_tools: takesTools } = recordOf(props.chat_template_caps);
	return { ...optional({ template }), dropsTools: takesTools === false };
}
