import type { Connection } from '../../http/connection';
import { kindOf } from '../../servers/kinds';
import { isRecord, type JsonRecord, nonEmptyText, optional, recordOf } from '../../values';
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
	const { chat_template_caps: caps } = props;
	// ik_llama.cpp has the field and leaves it empty.
	const isUnknown = isRecord(caps) && caps.supports_tools === undefined && template !== undefined;
	const takesTools = isUnknown ? /\btools\b/.test(template) : recordOf(caps).supports_tools;
	return { ...optional({ template }), dropsTools: takesTools === false };
}
