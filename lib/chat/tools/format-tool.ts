/** The tool by which n8n's agent receives its final response (n8n-io/n8n: agents, V3 and V2, `common.ts`). */
export const FORMAT_TOOL_NAME = 'format_final_json_response';
