//! The walk through a program.

use oxc_ast::ast::{
    AccessorProperty, AccessorPropertyType, ArrowFunctionExpression, CatchParameter, Class, ClassElement,
    Decorator, ExportAllDeclaration, ExportDeclaration, ExportDefaultDeclaration,
    ExportDefaultDeclarationKind, ExportFromDeclaration, ExportNamedDeclaration, ExportSpecifier,
    FormalParameter, FormalParameters, Function, IdentifierReference, ImportDeclaration, ImportExpression,
    JSXElement, JSXFragment, MethodDefinition, MethodDefinitionType, PropertyDefinition,
    PropertyDefinitionType, TSAsExpression, TSEnumDeclaration, TSExportAssignment,
    TSExternalModuleDeclaration, TSGlobalDeclaration, TSImportEqualsDeclaration, TSInterfaceDeclaration,
    TSNamespaceDeclaration, TSNamespaceExportDeclaration, TSNonNullExpression, TSSatisfiesExpression,
    TSThisParameter, TSTypeAliasDeclaration, TSTypeAnnotation, TSTypeAssertion, TSTypeParameterDeclaration,
    TSTypeParameterInstantiation, VariableDeclaration, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan;
use oxc_syntax::scope::ScopeFlags;

use super::Eraser;

const ENUM: &str = "an enum is more than a type; write an object: const Color = { Red: 'red' } as const";
const NAMESPACE: &str =
    "a namespace with values is more than a type; write a module of its own, or an object";
const PARAMETER_PROPERTY: &str = "a parameter with a modifier is more than a type; declare the field, and write this.name = name in the constructor";
const DECORATOR: &str = "decorators are not supported; call the function yourself";
const IMPORT_EQUALS: &str = "import = is not of ES modules; write import name from '…'";
const EXPORT_EQUALS: &str = "export = is not of ES modules; write export default";
const JSX: &str = "JSX is not supported in handler files";

impl<'a> Visit<'a> for Eraser<'_> {
    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        self.span(it.span);
    }

    fn visit_ts_type_parameter_declaration(&mut self, it: &TSTypeParameterDeclaration<'a>) {
        self.span(it.span);
    }

    fn visit_ts_type_parameter_instantiation(&mut self, it: &TSTypeParameterInstantiation<'a>) {
        self.span(it.span);
    }

    fn visit_ts_interface_declaration(&mut self, it: &TSInterfaceDeclaration<'a>) {
        self.whole(it.span);
    }

    fn visit_ts_type_alias_declaration(&mut self, it: &TSTypeAliasDeclaration<'a>) {
        self.whole(it.span);
    }

    fn visit_ts_external_module_declaration(&mut self, it: &TSExternalModuleDeclaration<'a>) {
        self.whole(it.span);
    }

    fn visit_ts_global_declaration(&mut self, it: &TSGlobalDeclaration<'a>) {
        self.whole(it.span);
    }

    fn visit_ts_namespace_export_declaration(&mut self, it: &TSNamespaceExportDeclaration<'a>) {
        self.whole(it.span);
    }

    fn visit_ts_namespace_declaration(&mut self, it: &TSNamespaceDeclaration<'a>) {
        match it.declare {
            true => self.whole(it.span),
            false => self.refuse(it.span, NAMESPACE),
        }
    }

    fn visit_ts_enum_declaration(&mut self, it: &TSEnumDeclaration<'a>) {
        match it.declare {
            true => self.whole(it.span),
            false => self.refuse(it.span, ENUM),
        }
    }

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        match it.import_kind.is_type() {
            true => self.whole(it.span),
            false => self.refuse(it.span, IMPORT_EQUALS),
        }
    }

    fn visit_ts_export_assignment(&mut self, it: &TSExportAssignment<'a>) {
        self.refuse(it.span, EXPORT_EQUALS);
    }

    fn visit_decorator(&mut self, it: &Decorator<'a>) {
        self.refuse(it.span, DECORATOR);
    }

    fn visit_jsx_element(&mut self, it: &JSXElement<'a>) {
        self.refuse(it.span, JSX);
    }

    fn visit_jsx_fragment(&mut self, it: &JSXFragment<'a>) {
        self.refuse(it.span, JSX);
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank(it.expression.span().end, it.span.end);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank(it.expression.span().end, it.span.end);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        self.blank(it.span.start, it.expression.span().start);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank(it.span.end - 1, it.span.end);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.used.insert(it.name.to_string());
    }

    /// They are looked at when it is known what is used.
    fn visit_import_declaration(&mut self, _: &ImportDeclaration<'a>) {}

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if let oxc_ast::ast::Expression::StringLiteral(source) = &it.source {
            self.imported(&source.value, source.span);
        }
        walk::walk_import_expression(self, it);
    }

    fn visit_export_declaration(&mut self, it: &ExportDeclaration<'a>) {
        match Self::is_for_types(&it.declaration) {
            true => self.whole(it.span),
            false => walk::walk_export_declaration(self, it),
        }
    }

    fn visit_export_default_declaration(&mut self, it: &ExportDefaultDeclaration<'a>) {
        let is_for_types = match &it.declaration {
            ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => true,
            ExportDefaultDeclarationKind::FunctionDeclaration(it) => it.body.is_none(),
            _ => false,
        };
        match is_for_types {
            true => self.whole(it.span),
            false => walk::walk_export_default_declaration(self, it),
        }
    }

    fn visit_export_named_declaration(&mut self, it: &ExportNamedDeclaration<'a>) {
        if it.export_kind.is_type() {
            return self.whole(it.span);
        }
        walk::walk_export_named_declaration(self, it);
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        if it.export_kind.is_type() {
            return self.whole(it.span);
        }
        self.imported(&it.source.value, it.source.span);
        for specifier in it.specifiers.iter().filter(|specifier| specifier.export_kind.is_type()) {
            self.specifier(specifier.span);
        }
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        match it.export_kind.is_type() {
            true => self.whole(it.span),
            false => self.imported(&it.source.value, it.source.span),
        }
    }

    fn visit_export_specifier(&mut self, it: &ExportSpecifier<'a>) {
        match it.export_kind.is_type() {
            true => self.specifier(it.span),
            false => drop(self.used.insert(it.local.name().to_string())),
        }
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        match it.declare {
            true => self.whole(it.span),
            false => walk::walk_variable_declaration(self, it),
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if it.definite {
            let end = it.type_annotation.as_ref().map_or(it.span.end, |types| types.span.start);
            self.mark_behind(it.id.span().end, end + 1);
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_catch_parameter(&mut self, it: &CatchParameter<'a>) {
        walk::walk_catch_parameter(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if it.declare || it.body.is_none() {
            return self.whole(it.span);
        }
        walk::walk_function(self, it, flags);
    }

    fn visit_ts_this_parameter(&mut self, it: &TSThisParameter<'a>) {
        self.this_parameter(it);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.arrow_signature(it);
        walk::walk_arrow_function_expression(self, it);
    }

    fn visit_formal_parameters(&mut self, it: &FormalParameters<'a>) {
        walk::walk_formal_parameters(self, it);
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        if it.accessibility.is_some() || it.readonly || it.r#override {
            self.refuse(it.span, PARAMETER_PROPERTY);
        }
        if it.optional {
            self.mark_behind(it.pattern.span().end, it.span.end);
        }
        walk::walk_formal_parameter(self, it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        if it.declare {
            return self.whole(it.span);
        }
        if it.r#abstract {
            self.modifier(it.span.start, it.body.span.start, "abstract", None);
        }
        if let (Some(first), Some(last)) = (it.implements.first(), it.implements.last()) {
            let before = &self.source[it.span.start as usize..first.span.start as usize];
            if let Some(word) = before.rfind("implements") {
                self.blank(it.span.start + word as u32, last.span.end);
            }
        }
        walk::walk_class(self, it);
    }

    fn visit_class_element(&mut self, it: &ClassElement<'a>) {
        match it {
            ClassElement::TSIndexSignature(it) => self.whole(it.span),
            other => walk::walk_class_element(self, other),
        }
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        if it.declare || it.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition {
            return self.whole(it.span);
        }
        let key = it.key.span();
        self.modifiers(it.span, key);
        if it.optional || it.definite {
            let end = it.type_annotation.as_ref().map_or(it.span.end, |types| types.span.start + 1);
            self.mark_behind(key.end, end);
        }
        walk::walk_property_definition(self, it);
    }

    fn visit_accessor_property(&mut self, it: &AccessorProperty<'a>) {
        if it.r#type == AccessorPropertyType::TSAbstractAccessorProperty {
            return self.whole(it.span);
        }
        self.modifiers(it.span, it.key.span());
        walk::walk_accessor_property(self, it);
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        if it.value.body.is_none() || it.r#type == MethodDefinitionType::TSAbstractMethodDefinition {
            return self.whole(it.span);
        }
        let key = it.key.span();
        self.modifiers(it.span, key);
        if it.optional {
            self.mark_behind(key.end, it.value.params.span.start);
        }
        walk::walk_method_definition(self, it);
    }
}
