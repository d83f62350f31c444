/** An MCP server over streamable HTTP, as n8n's MCP Client Tool uses it: what it says of its tools is any JSON. */
import { asRecord, asString } from '../../../lib/values/records';
import { sendJson, startScripted } from './scripted-server';
import type { Answer, ScriptedServer } from './scripted-server';

/** A tool as the server lists it. */
export interface McpTool {
	name: string;
	description?: string;
	inputSchema: unknown;
}

/** Starts a server with these tools; each of them answers with this text. */
export async function startMcpServer(
	tools: readonly McpTool[],
	result = 'Done.',
): Promise<ScriptedServer> {
	const results: Readonly<Record<string, (params: Record<string, unknown>) => unknown>> = {
		initialize: ({ protocolVersion }) => ({
			protocolVersion,
			capabilities: { tools: {} },
			serverInfo: { name: 'tools', version: '1.0.0' },
		}),
		'tools/list': () => ({ tools }),
		'tools/call': () => ({ content: [{ type: 'text', text: result }] }),
	};
	const handle: Answer = ({ method, body: { id, method: called, params } }, response) => {
		// No stream of its own.
		if (method !== 'POST') return sendJson(response, {}, 405);
		const toResult = results[asString(called) ?? ''];
		// A notification has no answer.
		if (id === undefined || toResult === undefined) return sendJson(response, '', 202);
		sendJson(response, { jsonrpc: '2.0', id, result: toResult(asRecord(params)) });
	};
	return await startScripted(handle);
}
