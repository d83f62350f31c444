import type { Connection } from '../../http/connection';
import { Remembered } from '../../remembered';
import { traitsOf } from '../../servers/kinds';
import { optionalJson } from '../../servers/optional-json';
import { nonEmptyText, recordOf } from '../../values';
import type { ChatRequest } from '../types';

const ASK_LIMIT_MS = 3_000;

/** What a server tells of the template that puts tools into the prompt. */
export interface ToolTemplate {
	template?: string;
	/** The model is not told of any tool. */
	dropsTools: boolean;
}

const known = Remembered.inProcess<Promise<ToolTemplate>>({ most: 200, forMs: 10 * 60_000 });

export const TOOLS_DROPPED =
	'The chat template of this model takes no tools, so llama-server left them out without a word, and the model was told of none. Use a model with tool support, or start llama-server with a template that has it (--jinja --chat-template-file).';

/**
 * Asked once in ten minutes, where tools are offered to a server that tells its template. Nothing is loaded by it.
 *
 * @param request the request to this server
 */
export async function toolTemplate(
	connection: Connection,
	{ tools = [], model, serverKind }: Pick<ChatRequest, 'tools' | 'model' | 'serverKind'>,
): Promise<ToolTemplate> {
	const { llamaApi, hasOllamaApi } = traitsOf(serverKind);
	if (tools.length === 0 || (llamaApi === undefined && !hasOllamaApi)) return { dropsTools: false };
	const key = `${connection.url.root} ${model}`;
	const asked = known.get(key);
	if (asked !== undefined) return await asked;
	const query = llamaApi === 'router' ? `?model=${encodeURIComponent(model.toWellFormed())}&autoload=false` : '';
	const told = optionalJson(connection, hasOllamaApi ? '/api/show' : `/props${query}`, {
		...(hasOllamaApi ? { json: { model } } : {}),
		timeoutMs: ASK_LIMIT_MS,
	}).then((answer) => {
		if (answer === undefined) known.delete(key);
		return templateIn(recordOf(answer));
	});
	known.set(key, told);
	return await told;
}

/** @param props the answer of `/props` (docs/protocols/llama-server.md 2.6), or of Ollama's `/api/show` */
export function templateIn(props: Record<string, unknown>): ToolTemplate {
	const template = nonEmptyText(props.chat_template) ?? nonEmptyText(props.template);
	const { supports_tools: takesTools } = recordOf(props.chat_template_caps);
	return { ...(template === undefined ? {} : { template }), dropsTools: takesTools === false };
}
