/**
 * Marks of chat templates and of the parsers of model servers: one table for everything that reads, removes or breaks
 * them, so that a mark that is read is also broken in foreign text.
 *
 * A mark that is a word, or an ordinary element of HTML and XML, is in the table only if a server acts on it: it puts an
 * image in the place of `<image>`, and templates list the tools of a request between `<tools>`. Others are not, because
 * breaking them would change code of users: `USER:` and `### Instruction:` (Vicuna, Alpaca), `[USER]` (Skywork),
 * `>>>` (Functionary), `<response>` (MiniMax-M2, Granite), `<result>` (DeepSeek-V3.2), `<results>` and `<co>` (Command R),
 * `<user>` (Laguna), `<documents>`, `<code>` (SmolLM3), `<ref>` and `<box>` (InternVL), `<PRE>` (Code Llama), `<filename>`
 * (StarCoder). None of them leaves the turn or the tool result that it is in, as long as the marks around it are broken.
 */

import { getClosingMark, READABLE_MARK_RESTS } from './calls/marks';

/**
 * `turnEnd`: ends a turn or a text. `role`: begins a turn. `thinking`: begins or ends thinking. `toolResult`, `call`:
 * begin, end or divide tool results, and calls and definitions of tools. `sequence`: other control tokens of a vocabulary.
 * `media`: replaced by an image, audio or video.
 */
export type MarkType =
	| 'turnEnd'
	| 'role'
	| 'thinking'
	| 'toolResult'
	| 'call'
	| 'sequence'
	| 'media';

export interface Mark {
	mark: string;
	type: MarkType;
	/** A model family, with the template, the parser or the report that has the mark. */
	source: string;
}

/** The marks of one source by their type. */
type Family = Readonly<
	{
		source: string;
		/** Those that begin thinking, which ends with the mark that follows from them (`toEndTag`). */
		thinkingTags?: readonly string[];
		/** Those that begin the text for the user, which ends likewise. */
		textTags?: readonly string[];
	} & Partial<Record<MarkType, readonly string[]>>
>;

/** A mark that several families have is in the row of the first one. Sources without a project are of llama.cpp. */
const FAMILIES: readonly Family[] = [
	{
		source: 'ChatML of Qwen, Yi, Hermes and many others: llama-chat.cpp',
		turnEnd: ['<|im_end|>', '<|endoftext|>'],
		role: ['<|im_start|>', '<|im_sep|>'],
		thinkingTags: ['<think>'],
		toolResult: ['<tool_response>', '</tool_response>'],
		call: ['<tool_call>', '</tool_call>'],
		media: ['<|vision_start|>', '<|vision_end|>', '<|image_pad|>', '<|video_pad|>'],
	},
	{
		source: 'Hermes: NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja, vLLM hermes_tool_parser.py',
		thinking: [
			'<scratch_pad>',
			'</scratch_pad>',
			'<tool_call_reasoning>',
			'</tool_call_reasoning>',
		],
		// The tools of the request, also in Qwen's template
		call: ['<tools>', '</tools>'],
	},
	{
		source: 'Function calling of Qwen-Agent: qwen_fncall_prompt.py',
		toolResult: ['✿RESULT✿', '✿RETURN✿'],
		call: ['✿FUNCTION✿', '✿ARGS✿'],
	},
	{
		source: 'Qwen3-Coder: Qwen3-Coder.jinja, vLLM qwen3coder_tool_parser.py',
		call: ['<function=', '<parameter=', '</function>', '</parameter>', '</invoke>'],
	},
	{
		source: 'Llama 2, Mistral 7B: llama-chat.cpp',
		turnEnd: ['</s>'],
		role: ['[INST]', '[/INST]', '<<SYS>>', '<</SYS>>'],
		sequence: ['<s>', '<unk>'],
	},
	{
		source: 'Llama 3: meta-llama-Llama-3.1-8B-Instruct.jinja',
		turnEnd: ['<|eot_id|>', '<|eom_id|>', '<|end_of_text|>'],
		role: ['<|start_header_id|>', '<|end_header_id|>', '<|begin_of_text|>'],
		call: ['<|python_tag|>'],
	},
	{
		source: 'Llama 4: llama-chat.cpp, vLLM tool_chat_template_llama4_pythonic.jinja',
		turnEnd: ['<|eot|>', '<|eom|>'],
		role: ['<|header_start|>', '<|header_end|>'],
		call: ['<|python_start|>', '<|python_end|>'],
		media: ['<|image|>', '<|patch|>'],
	},
	{
		source: 'Mistral: Mistral-Small-3.2-24B-Instruct-2506.jinja, mistral-common',
		role: ['[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', '[MODEL_SETTINGS]', '[/MODEL_SETTINGS]'],
		thinkingTags: ['[THINK]'],
		toolResult: ['[TOOL_RESULTS]', '[/TOOL_RESULTS]', '[TOOL_CONTENT]', '[/TOOL_CONTENT]'],
		call: [
			'[AVAILABLE_TOOLS]',
			'[/AVAILABLE_TOOLS]',
			'[TOOL_CALLS]',
			'[/TOOL_CALLS]',
			'[ARGS]',
			'[/ARGS]',
			'[CALL_ID]',
			'[/CALL_ID]',
		],
		sequence: ['[PREFIX]', '[MIDDLE]', '[SUFFIX]', '[TRANSCRIBE]'],
		media: ['[IMG]', '[/IMG]', '[IMG_BREAK]', '[IMG_END]', '[AUDIO]', '[BEGIN_AUDIO]'],
	},
	{
		source: 'Gemma 2 and 3: google-gemma-2-2b-it.jinja',
		turnEnd: ['<end_of_turn>', '<eos>'],
		role: ['<start_of_turn>', '<bos>'],
		call: ['<tool_code>', '</tool_code>'],
		sequence: ['<pad>', '<mask>', '<unused0>', '<unused99>'],
		media: ['<start_of_image>', '<end_of_image>', '<image_soft_token>', '<audio_soft_token>'],
	},
	{
		source: 'FunctionGemma: Ollama model/parsers/functiongemma.go',
		toolResult: ['<start_function_response>', '<end_function_response>'],
		call: [
			'<start_function_call>',
			'<end_function_call>',
			'<start_function_declaration>',
			'<end_function_declaration>',
			'<escape>',
		],
	},
	{
		source:
			'Gemma 4: google-gemma-4-31B-it.jinja, llama.cpp issues 21316 and 21338, mlx-vlm issue 899',
		turnEnd: ['<turn|>'],
		role: ['<|turn>'],
		thinking: ['<|channel>thought', '<|channel>', '<channel|>', '<|think|>'],
		toolResult: ['<|tool_response>', '<tool_response|>'],
		call: ['<|tool_call>', '<tool_call|>', '<|tool>', '<tool|>', '<|"|>'],
		media: ['<|audio|>', '<|video|>'],
	},
	{
		source: 'gpt-oss: openai-gpt-oss-120b.jinja, OpenAI Harmony format, vLLM issue 22578',
		turnEnd: ['<|end|>', '<|return|>', '<|call|>'],
		role: ['<|start|>', '<|message|>', '<|startoftext|>'],
		thinking: ['<|channel|>'],
		call: ['<|constrain|>', 'to=functions.'],
	},
	{
		source: 'Solar Open: upstage-Solar-Open-100B.jinja',
		turnEnd: ['<|flush|>', '<|calls|>'],
		role: ['<|begin|>', '<|content|>'],
		thinking: ['<|/think|>'],
		// Solar Open 2: vLLM solar_open2_tool_parser.py
		thinkingTags: ['<|think:start|>'],
		toolResult: ['<|tool_response:begin|>', '<|tool_response:end|>', '<|tool_response:result|>'],
		call: [
			'<|tools:begin|>',
			'<|tool:begin|>',
			'<|tool_call:begin|>',
			'<|tool_call:name|>',
			'<|tool_call:args|>',
			'<|tool_call:end|>',
		],
	},
	{
		source: 'DeepSeek: deepseek-ai-DeepSeek-V3.1.jinja, llama-chat.cpp',
		turnEnd: ['<｜end▁of▁sentence｜>', '<|EOT|>'],
		role: ['<｜begin▁of▁sentence｜>', '<｜User｜>', '<｜Assistant｜>'],
		toolResult: [
			'<｜tool▁outputs▁begin｜>',
			'<｜tool▁outputs▁end｜>',
			'<｜tool▁output▁begin｜>',
			'<｜tool▁output▁end｜>',
		],
		call: [
			'<｜tool▁calls▁begin｜>',
			'<｜tool▁calls▁end｜>',
			'<｜tool▁call▁begin｜>',
			'<｜tool▁call▁end｜>',
			'<｜tool▁sep｜>',
		],
		sequence: ['<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>'],
	},
	{
		source: 'DeepSeek-V3.2: deepseek-ai-DeepSeek-V3.2.jinja, xgrammar structural tags',
		toolResult: ['<function_results>', '</function_results>'],
		call: [
			'<｜DSML｜function_calls>',
			'</｜DSML｜function_calls>',
			'<｜DSML｜tool_calls>',
			'<｜DSML｜invoke',
			'</｜DSML｜invoke>',
			'<｜DSML｜parameter',
		],
	},
	{
		source: 'Kimi K2: Kimi-K2-Instruct.jinja, llama-vocab.cpp',
		turnEnd: ['[EOT]', '[EOS]'],
		role: ['<|im_system|>', '<|im_user|>', '<|im_assistant|>', '<|im_middle|>', '[BOS]'],
		call: [
			'<|tool_calls_section_begin|>',
			'<|tool_calls_section_end|>',
			'<|tool_call_begin|>',
			'<|tool_call_argument_begin|>',
			'<|tool_call_end|>',
		],
		sequence: ['[PAD]', '[UNK]'],
		media: ['<|media_begin|>', '<|media_content|>', '<|media_pad|>', '<|media_end|>'],
	},
	{
		source: 'Kimi K3: lightseekorg/smg kimi_k3.rs, sgl-project/sglang kimik3_format.py',
		turnEnd: ['<|close|>message<|sep|>'],
		role: ['<|open|>', '<|close|>', '<|sep|>'],
		thinkingTags: ['<|open|>think<|sep|>'],
		textTags: ['<|open|>response<|sep|>'],
	},
	{
		source: 'Kimi-VL: lightseekorg/smg kimi.rs',
		thinkingTags: ['◁think▷'],
	},
	{
		source: 'GLM: GLM-4.6.jinja, llama-chat.cpp, vLLM issue 32436',
		role: [
			'<|system|>',
			'<|user|>',
			'<|assistant|>',
			'<|observation|>',
			'[gMASK]',
			'[sMASK]',
			'<sop>',
			'<eop>',
		],
		call: ['<arg_key>', '</arg_key>', '<arg_value>', '</arg_value>'],
		sequence: ['<|code_prefix|>', '<|code_middle|>', '<|code_suffix|>'],
		media: ['<|begin_of_image|>', '<|end_of_image|>', '<|begin_of_box|>', '<|end_of_box|>'],
	},
	{
		source: 'LongCat: model cards of LongCat-Flash, mlx-lm tool_parsers/longcat.py',
		turnEnd: ['</longcat_s>'],
		role: ['<longcat_s>', '<longcat_system>', '<longcat_user>', '<longcat_assistant>'],
		thinkingTags: ['<longcat_think>'],
		toolResult: ['<longcat_tool_response>', '</longcat_tool_response>'],
		call: [
			'<longcat_tool_declare>',
			'</longcat_tool_declare>',
			'<longcat_tool_call>',
			'</longcat_tool_call>',
			'<longcat_arg_key>',
			'</longcat_arg_key>',
			'<longcat_arg_value>',
			'</longcat_arg_value>',
		],
		sequence: ['<longcat_pad>', '<longcat_unk>'],
		media: ['<longcat_img_start>', '<longcat_img_end>'],
	},
	{
		source: 'MiniMax-M1: vLLM tool_chat_template_minimax_m1.jinja',
		turnEnd: ['<end_of_sentence>', '<end_of_document>'],
		role: ['<beginning_of_sentence>', '<begin_of_document>'],
	},
	{
		source: 'MiniMax-M2: MiniMax-M2.jinja',
		turnEnd: ['[e~['],
		role: [']~b]', ']~!b['],
		call: ['<minimax:tool_call>', '</minimax:tool_call>', '<invoke name='],
		sequence: [']!p~[', ']!d~['],
	},
	{
		source: 'MiniMax-M3: common/chat.cpp, vLLM issue 52613, mlx-vlm processing_minimax_m3_vl.py',
		thinkingTags: ['<mm:think>'],
		call: [']<]minimax[>['],
		media: [']<]image[>['],
	},
	{
		source: 'Seed-OSS: ByteDance-Seed-OSS.jinja',
		turnEnd: ['<seed:eos>'],
		role: ['<seed:bos>'],
		thinkingTags: ['<seed:think>'],
		thinking: ['<seed:cot_budget_reflect>', '</seed:cot_budget_reflect>'],
		call: ['<seed:tool_call>', '</seed:tool_call>'],
		sequence: ['<seed:pad>'],
	},
	{
		source: 'Granite: ibm-granite-granite-4.0.jinja, vLLM tool_chat_template_granite_20b_fc.jinja',
		role: ['<|start_of_role|>', '<|end_of_role|>'],
		toolResult: ['<function_response>', '</function_response>'],
		call: ['<|tool_call|>', '<function_call>', '</function_call>'],
	},
	{
		source: 'StarCoder, and SmolLM and Granite Code with its vocabulary: tokenizer_config.json',
		sequence: [
			'<fim_prefix>',
			'<fim_middle>',
			'<fim_suffix>',
			'<fim_pad>',
			'<fim-prefix>',
			'<reponame>',
			'<repo_name>',
			'<file_sep>',
			'<gh_stars>',
			'<issue_start>',
			'<issue_comment>',
			'<issue_closed>',
			'<jupyter_start>',
			'<jupyter_text>',
			'<jupyter_code>',
			'<jupyter_output>',
			'<jupyter_script>',
			'<empty_output>',
			'<commit_before>',
			'<commit_msg>',
			'<commit_after>',
			'<pr_diff>',
			'<pr_diff_hunk>',
			'<pr_comment>',
			'<pr_review>',
			'<code_to_intermediate>',
			'<intermediate_to_code>',
		],
	},
	{
		source: 'Code Llama: llama-vocab.cpp',
		sequence: ['<SUF>', '<MID>'],
	},
	{
		source: 'Seed-Coder: tokenizer_config.json',
		turnEnd: ['<[end▁of▁sentence]>'],
		role: ['<[begin▁of▁sentence]>'],
		sequence: ['<[fim-prefix]>', '<[fim-middle]>', '<[fim-suffix]>'],
	},
	{
		source: 'Falcon: tokenizer_config.json',
		sequence: [
			'>>TITLE<<',
			'>>ABSTRACT<<',
			'>>INTRODUCTION<<',
			'>>SUMMARY<<',
			'>>COMMENT<<',
			'>>ANSWER<<',
			'>>QUESTION<<',
			'>>DOMAIN<<',
			'>>PREFIX<<',
			'>>MIDDLE<<',
			'>>SUFFIX<<',
		],
	},
	{
		source: 'Command R and A: CohereForAI-c4ai-command-r7b-12-2024-tool_use.jinja',
		turnEnd: ['<|END_OF_TURN_TOKEN|>', '<EOS_TOKEN>'],
		role: [
			'<BOS_TOKEN>',
			'<|START_OF_TURN_TOKEN|>',
			'<|SYSTEM_TOKEN|>',
			'<|USER_TOKEN|>',
			'<|CHATBOT_TOKEN|>',
		],
		thinkingTags: ['<|START_THINKING|>'],
		textTags: ['<|START_RESPONSE|>', '<|START_TEXT|>'],
		toolResult: ['<|START_TOOL_RESULT|>', '<|END_TOOL_RESULT|>'],
		call: ['<|START_ACTION|>', '<|END_ACTION|>', '<cofl:tool_calls>', '</cofl:tool_calls>'],
		sequence: ['<CLS>', '<MASK_TOKEN>', '<EOP_TOKEN>'],
	},
	{
		source: 'Phi-3 and 4: microsoft-Phi-3.5-mini-instruct.jinja, vLLM phi4mini_tool_parser.py',
		call: ['<|tool|>', '<|/tool|>', 'functools['],
	},
	{
		source: 'EXAONE: llama-chat.cpp, EXAONE Deep model card',
		turnEnd: ['[|endofturn|]'],
		role: ['[|system|]', '[|user|]', '[|assistant|]', '[|tool|]'],
		thinkingTags: ['<thought>'],
		call: ['<|tool_declare|>'],
	},
	{
		source: 'Jais: model card',
		role: ['[|Human|]', '[|AI|]'],
	},
	{
		source: 'Hunyuan: llama-chat.cpp, vLLM hunyuan_a13b_reasoning_parser.py and _tool_parser.py',
		turnEnd: ['<|eos|>'],
		role: ['<|extra_0|>', '<|extra_4|>', '<｜hy_User｜>', '<｜hy_Assistant｜>'],
		thinking: ['<answer>', '</answer>'],
		call: ['<tool_calls>', '</tool_calls>'],
		sequence: ['<｜hy_begin▁of▁sentence｜>', '<｜hy_place▁holder▁no▁2｜>'],
	},
	{
		source: 'ERNIE: model cards and chat templates',
		role: [
			'<|begin_of_sentence|>',
			'<|end_of_sentence|>',
			'<global_setting>',
			'</global_setting>',
			'<system_setting>',
			'</system_setting>',
		],
		call: ['<tool_list>', '</tool_list>'],
		sequence: ['<mask:0>', '<mask:7>'],
		media: ['<|IMAGE_START|>', '<|IMAGE_PLACEHOLDER|>', '<|IMAGE_END|>'],
	},
	{
		source: 'LFM2: LFM2.5-Instruct.jinja, model cards of Liquid',
		toolResult: ['<|tool_response_start|>', '<|tool_response_end|>'],
		call: ['<|tool_list_start|>', '<|tool_list_end|>', '<|tool_call_start|>'],
	},
	{
		source: 'Apriel: unsloth-Apriel-1.5.jinja, Apriel-1.6-15b-Thinker-fixed.jinja',
		role: ['<|begin_system|>', '<|begin_user|>', '<|begin_assistant|>', '<|begin_content|>'],
		thinking: ['<thinking>', '</thinking>', '[BEGIN FINAL RESPONSE]', '[END FINAL RESPONSE]'],
		toolResult: ['<|begin_tool_result|>'],
		call: ['<available_tools>', '</available_tools>'],
	},
	{
		source: 'Apertus: Apertus-8B-Instruct.jinja',
		turnEnd: ['<|assistant_end|>', '<|user_end|>', '<|system_end|>', '<|developer_end|>'],
		role: ['<|assistant_start|>', '<|user_start|>', '<|system_start|>', '<|developer_start|>'],
		thinkingTags: ['<|inner_prefix|>'],
		call: ['<|tools_prefix|>', '<|tools_suffix|>'],
	},
	{
		source: 'Nemotron: NVIDIA-Nemotron-Nano-v2.jinja, Ollama model/parsers/nemotron3nano.go',
		role: ['<SPECIAL_10>', '<SPECIAL_11>', '<SPECIAL_12>', '<extra_id_0>', '<extra_id_1>'],
		thinking: ['<_end_think>'],
		toolResult: ['<TOOL_RESPONSE>', '</TOOL_RESPONSE>'],
		call: ['<TOOLCALL>', '</TOOLCALL>', '<tool>', '</tool>'],
		media: ['<so_embedding>'],
	},
	{
		source: 'InternLM and InternVL: vLLM internlm2_tool_parser.py, lmdeploy model.py',
		turnEnd: ['<eoa>', '<eoh>', '<eot>'],
		role: ['<|User|>', '<|Bot|>', '[UNUSED_TOKEN_146]', '[UNUSED_TOKEN_145]'],
		call: ['<|action_start|>', '<|action_end|>', '<|plugin|>', '<|interpreter|>'],
		sequence: ['<TOKENS_UNUSED_0>'],
		media: ['<IMG_CONTEXT>', '<VIDEO_CONTEXT>', '<img>', '</img>', '<ImageHere>'],
	},
	{
		source: 'Jamba: model card, vLLM jamba_tool_parser.py',
		role: ['<|bom|>'],
	},
	{
		source: 'Reka: Reka-Edge.jinja, model card of Reka Flash',
		role: ['<sep>'],
		media: ['<REKA_IMG_TOKEN>'],
	},
	{
		source: 'Zephyr, OpenChat, OLMo: llama-chat.cpp, Ollama model/parsers/olmo3.go',
		turnEnd: ['<|end_of_turn|>'],
		call: ['<function_calls>', '</function_calls>', '<functions>', '</functions>'],
	},
	{
		source: 'Ling and Ring: llama-chat.cpp (bailing)',
		turnEnd: ['<|role_end|>'],
		role: [
			'<role>SYSTEM</role>',
			'<role>HUMAN</role>',
			'<role>ASSISTANT</role>',
			'<role>OBSERVATION</role>',
		],
	},
	{
		source: 'dots.llm1: llama-chat.cpp',
		turnEnd: ['<|endofuserprompt|>', '<|endofresponse|>', '<|endofsystem|>'],
		role: ['<|userprompt|>', '<|response|>'],
	},
	{
		source: 'MiniCPM: llama-chat.cpp',
		role: ['<用户>', '<AI>'],
	},
	{
		source: 'Step: stepfun-ai-Step-3.5-Flash.jinja, lightseekorg/smg step3.rs',
		call: [
			'<｜tool_calls_begin｜>',
			'<｜tool_call_begin｜>',
			'<｜tool_sep｜>',
			'<tool_sep>',
			'<steptml:invoke name=',
			'<steptml:parameter name=',
		],
		media: [
			'<im_start>',
			'<im_patch>',
			'<im_end>',
			'<patch_start>',
			'<patch_newline>',
			'<patch_end>',
			'<audio_start>',
			'<audio_end>',
			'<audio_patch>',
			'<tts_start>',
			'<tts_end>',
			'<tts_pad>',
		],
	},
	{
		source: 'Baichuan: vLLM template_baichuan.jinja',
		role: ['<reserved_106>', '<reserved_107>'],
	},
	{
		source: 'GigaChat, Megrez, Grok-2: llama-chat.cpp',
		turnEnd: ['<|message_sep|>', '<|turn_end|>', '<|separator|>'],
		role: ['<|role_start|>', '<|role_sep|>'],
		call: ['<|function_call|>'],
	},
	{
		source: 'Pangu, YandexGPT and models of the BERT family: llama-chat.cpp, llama-vocab.cpp',
		turnEnd: ['[unused10]'],
		role: ['[unused9]', '[CLS]', '[SEP]'],
		sequence: ['[MASK]'],
	},
	{
		source: 'PLaMo: llama-vocab.cpp, vLLM plamo3_tool_parser.py',
		turnEnd: ['<|plamo:eos|>', '<|plamo:tag|>'],
		role: ['<|plamo:bos|>'],
		thinkingTags: ['<|plamo:begin_think:plamo|>'],
	},
	{
		source: 'Inkling: lightseekorg/smg inkling.rs',
		turnEnd: ['<|end_message|>', '<|content_model_end_sampling|>'],
		role: ['<|message_model|>', '<|message_user|>', '<|message_tool|>', '<|content_text|>'],
		thinking: ['<|content_thinking|>'],
		call: ['<|content_invoke_tool_json|>', '<|content_invoke_tool_text|>'],
	},
	{
		source: 'Sarashina: lightseekorg/smg sarashina.rs',
		call: ['<|tool_calls|>'],
	},
	{
		source: 'Glimmer: Ollama model/parsers/glimmer.go',
		toolResult: ['<tool_output name=', '<tool_output>', '</tool_output>'],
		call: ['<atem:function_calls>', '<atem:invoke name=', '<atem:parameter name='],
	},
	{
		source: 'Laguna: Ollama model/parsers/laguna.go',
		turnEnd: ['〈|EOS|〉'],
		role: ['<system>', '</system>', '<assistant>', '</assistant>'],
	},
	{
		source:
			'Alfred, TeleFLM, Inkbot: lmdeploy, vLLM template_teleflm.jinja and template_inkbot.jinja',
		turnEnd: ['<end_message>'],
		role: [
			'<_end>',
			'<start_system>',
			'<start_user>',
			'<start_assistant>',
			'<_start>',
			'<_system>',
			'<_user>',
			'<_bot>',
			'<_pad>',
		],
		sequence: ['<#system#>', '<#user#>', '<#bot#>', '<#chat#>'],
	},
	{
		source: 'SmolVLM and Idefics: llama-chat.cpp, processors of Transformers',
		turnEnd: ['<end_of_utterance>'],
		media: ['<fake_token_around_image>', '<global-img>', '<row_1_col_1>'],
	},
	{
		source: 'Llama Guard, Qwen3Guard, Nemotron Content Safety: model cards',
		role: ['<BEGIN CONVERSATION>', '<END CONVERSATION>'],
		sequence: ['<BEGIN UNSAFE CONTENT CATEGORIES>', '<END UNSAFE CONTENT CATEGORIES>'],
	},
	{
		source: 'Qwen3-Reranker: model card, llama-server --reranking',
		role: ['<Instruct>:', '<Query>:', '<Document>:'],
	},
	{
		source: 'Tool results and calls of agents in several templates',
		toolResult: ['<tool_result>', '</tool_result>', '<tool_results>', '</tool_results>'],
		call: ['[TOOL_CALL]', '[/TOOL_CALL]', '[TOOL_REQUEST]', '[END_TOOL_REQUEST]'],
	},
	{
		source: 'Ends of turns by which servers stop: llama-vocab.cpp, mlx-vlm issue 1932',
		turnEnd: ['<EOT>', '<|end_of_msg|>', '<|eos_id|>'],
	},
	{
		source: 'Fill-in-the-middle: llama-vocab.cpp',
		sequence: [
			'<|fim_prefix|>',
			'<|fim_middle|>',
			'<|fim_suffix|>',
			'<|repo_name|>',
			'<|file_sep|>',
		],
	},
	{
		source: 'Media in prompts: mtmd.h, Ollama server/prompt.go',
		media: ['<__media__>', '<__image__>', '[img-0]', '[img-12]'],
	},
	{
		// A server with too many of them rejects the request, or puts an image at the wrong place. An image of SVG has
		// attributes, and most videos of HTML have, too.
		source:
			'LLaVA, DeepSeek-VL2, LFM2-VL, MiniCPM-V and others: processors of Transformers and vLLM',
		media: [
			'<image>',
			'</image>',
			'<video>',
			'<audio>',
			'<slice>',
			'</slice>',
			'<image_id>',
			'</image_id>',
			'<image_placeholder>',
			'<vila/image>',
			'<vila/video>',
		],
	},
	{
		source: 'Gemma: tokenizer_config.json',
		sequence: ['[@BOS@]', '[multimodal]'],
	},
];

const MARK_TYPES: readonly MarkType[] = [
	'turnEnd',
	'role',
	'thinking',
	'toolResult',
	'call',
	'sequence',
	'media',
];

/** Tags that begin thinking. */
export const THINKING_TAGS: readonly string[] = FAMILIES.flatMap(
	({ thinkingTags = [] }) => thinkingTags,
);

/** Tags that begin the text for the user. */
export const TEXT_TAGS: readonly string[] = FAMILIES.flatMap(({ textTags = [] }) => textTags);

/** The tag that ends the thinking or the text that another one begins. */
export function toEndTag(tag: string): string {
	const end = getClosingMark(tag);
	return end === tag ? `${tag[0]}/${tag.slice(1)}` : end;
}

export const MARKS: readonly Mark[] = FAMILIES.flatMap(
	({ source, thinkingTags = [], textTags = [], ...marks }) => {
		const tags = thinkingTags.flatMap((tag) => [tag, toEndTag(tag)]);
		const byType = {
			...marks,
			role: [...(marks.role ?? []), ...textTags],
			turnEnd: [...(marks.turnEnd ?? []), ...textTags.map(toEndTag)],
			thinking: [...tags, ...(marks.thinking ?? [])],
		};
		return MARK_TYPES.flatMap((type) =>
			(byType[type] ?? []).map((mark) => ({ mark, type, source })),
		);
	},
);

/** The marks of some types. */
export function getMarks(types: readonly MarkType[] = MARK_TYPES): string[] {
	return MARKS.flatMap(({ mark, type }) => (types.includes(type) ? [mark] : []));
}

/** A general form of marks. */
interface MarkForm {
	/** The beginning of the mark, after which it is broken. */
	start: RegExp;
	/** What follows. */
	rest: RegExp;
}

/** Forms whose letters are exact: in lower case, `[IMG]` is BBCode. */
export const EXACT_FORMS: readonly MarkForm[] = [
	// `<|…|>` of most models, DeepSeek's bars, and their end tags. Any text may be between the bars, except at the
	// beginning the character that breaks a mark.
	{ start: /<\/?[|｜]/, rest: /(?!\u200b)[^<>]{1,64}[|｜]>/ },
	// DeepSeek's <｜DSML｜invoke name="…">
	{ start: /<\/?[|｜‖]/, rest: /[|｜‖]?DSML[|｜‖]/ },
	// Gemma 4's <|turn> and <turn|>
	{ start: /<[|｜]/, rest: /\/?[\w:-]{1,64}>/ },
	{ start: /</, rest: /\/?[\w:-]{1,64}[|｜]>/ },
	// EXAONE's [|system|]
	{ start: /\[/, rest: /\|[A-Za-z_]{2,32}\|\]/ },
	// MiniMax's ]~b], ]~!b[, ]!p~[, ]<]minimax[>[ and [e~[
	{ start: /\]/, rest: /~[a-z]{1,12}\]|~![a-z]{1,8}\[|![a-z]{1,8}~\[|<\][\w ]{1,32}\[>\[/ },
	{ start: /\[/, rest: /[a-z]~\[/ },
	// Laguna's 〈|EOS|〉
	{ start: /〈\|/, rest: /[\w:-]{1,64}\|〉/ },
	// Seed-Coder's <[fim-prefix]>
	{ start: /</, rest: /\[[\w▁-]{1,64}\]>/ },
	// Falcon's >>TITLE<<
	{ start: />>/, rest: /[A-Z]{3,20}<</ },
	{ start: /✿/, rest: /[A-Z]{2,20}✿/ },
	// Llama Guard's <BEGIN CONVERSATION>
	{ start: /</, rest: /(?:BEGIN|END) [A-Z]{3,20}(?: [A-Z]{3,20}){0,4}>/ },
	// Numbered tokens
	{ start: /\[/, rest: /(?:unused|UNUSED_TOKEN_|img-)\d{1,6}\]/ },
];

/** Forms whose letters may have any case, as in HTML. */
export const TAG_FORMS: readonly MarkForm[] = [
	// <seed:think>, <minimax:tool_call>
	{
		start: /</,
		rest: /\/?\w{1,20}:(?:think(?:ing)?|thought|cot_budget_reflect|bos|eos|pad|(?:tool|function)_?calls?|tool_(?:response|result|output)s?|arg_(?:key|value))[\s>=]/,
	},
	// <invoke name="…">, <steptml:parameter name="…">
	{ start: /</, rest: /(?:invoke|\w{1,20}:(?:invoke|parameter))\s+name\s*=/ },
	{ start: /</, rest: /(?:start|begin|beginning|end)_of_\w{1,30}>/ },
	{ start: /</, rest: /\/?fim[-_]\w{1,20}>/ },
	{ start: /</, rest: /(?:unused|reserved_?|extra_id_|special_|tokens_unused_|mask:)\d{1,6}>/ },
	// LongCat
	{ start: /</, rest: /\/?longcat_\w{1,40}>/ },
	// <image_start>, <low_res_im_start>, <VIDEO_CONTEXT>
	{
		start: /</,
		rest: /(?:\w{1,20}_)?(?:im|img|image|video|audio|tts|patch)_(?:start|end|pad|patch|col|token|context|placeholder|soft_token|newline)>/,
	},
	{ start: /</, rest: /row_\d{1,3}_col_\d{1,3}>/ },
	{ start: /</, rest: /__\w{1,30}__>/ },
	{
		start: /</,
		rest: /(?:issue|jupyter|commit)_(?:start|comment|closed|text|code|output|script|before|msg|after)>/,
	},
	{ start: /</, rest: /#\w{1,30}#>/ },
	...READABLE_MARK_RESTS.map((rest) => ({ start: /</, rest })),
	{ start: /functools/, rest: /\[/ },
	{ start: /to=/, rest: /functions\./ },
];
